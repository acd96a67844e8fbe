"""The three kinds of record that this account keeps, under every name that HubSpot accepts."""

from dataclasses import dataclass

from adapters.sandbox.hubspot.errors import ApiError


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record."""

    #: as in paths and scopes; also the name of its table
    name: str
    #: as in webhook types
    singular: str
    #: as in error messages and association types
    upper: str
    type_id: str
    #: the property that moves with every change
    modified: str
    #: its ids start above this, so that ids of two kinds never look alike
    id_base: int
    #: what a read shows when it names nothing
    shown: tuple[str, ...]
    #: what a search shows when it names nothing
    shown_in_search: tuple[str, ...]
    #: whether two merged records become a third one with an id of its own
    merges_into_new: bool

    @property
    def properties(self) -> str:
        """Return the name of the table of its property definitions."""
        return f"property:{self.name}"


CONTACTS = Kind(
    name="contacts",
    singular="contact",
    upper="CONTACT",
    type_id="0-1",
    modified="lastmodifieddate",
    id_base=1_000_000_000,
    shown=("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    shown_in_search=(
        *("company", "createdate", "email", "firstname", "hs_object_id"),
        *("lastmodifieddate", "lastname", "phone", "website"),
    ),
    merges_into_new=True,
)
COMPANIES = Kind(
    name="companies",
    singular="company",
    upper="COMPANY",
    type_id="0-2",
    modified="hs_lastmodifieddate",
    id_base=2_000_000_000,
    shown=("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    shown_in_search=("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
    merges_into_new=False,
)
DEALS = Kind(
    name="deals",
    singular="deal",
    upper="DEAL",
    type_id="0-3",
    modified="hs_lastmodifieddate",
    id_base=3_000_000_000,
    shown=(
        *("amount", "closedate", "createdate", "dealname", "dealstage"),
        *("hs_lastmodifieddate", "hs_object_id", "pipeline"),
    ),
    shown_in_search=(
        *("amount", "closedate", "createdate", "dealname", "dealstage"),
        *("hs_lastmodifieddate", "hs_object_id", "pipeline"),
    ),
    merges_into_new=True,
)
KINDS = (CONTACTS, COMPANIES, DEALS)

_BY_NAME = {
    name: kind
    for kind in KINDS
    for name in (kind.name, kind.singular, kind.upper, kind.upper.lower(), kind.type_id)
}


def kind_of(name: str) -> Kind:
    """Return the kind of that name or type id.

    Raises:
        ApiError: there is none; the body has no category, as captured.
    """
    kind = _BY_NAME.get(name)
    if kind is None:
        raise ApiError(400, f"Unable to infer object type from: {name}", category=None)
    return kind
