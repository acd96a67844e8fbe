"""The types that two kinds of record can be associated by, HubSpot's own and users' labels."""

from dataclasses import dataclass

from adapters.sandbox.hubspot.errors import ApiError
from adapters.sandbox.hubspot.kinds import COMPANIES, CONTACTS, DEALS, Kind
from adapters.sandbox.hubspot.rows import number, text
from adapters.sandbox.tables import JsonValue, Row, Tables

HUBSPOT_DEFINED = "HUBSPOT_DEFINED"
USER_DEFINED = "USER_DEFINED"
_LABELS = "association_label"


@dataclass(frozen=True, slots=True)
class LinkType:
    """One direction of a type."""

    #: as kept in an association set: `H3`, `U7`
    code: str
    type_id: int
    category: str
    label: str | None
    #: the same type seen from the other end
    inverse: str
    #: whether it marks the one primary company
    is_primary: bool = False

    def shown(self) -> Row:
        """Return it as an element of `associationTypes`."""
        return {"category": self.category, "typeId": self.type_id, "label": self.label}


def _own(type_id: int, inverse_id: int, *, primary: bool = False) -> LinkType:
    return LinkType(
        code=f"H{type_id}",
        type_id=type_id,
        category=HUBSPOT_DEFINED,
        label="Primary" if primary else None,
        inverse=f"H{inverse_id}",
        is_primary=primary,
    )


#: by (from, to): the unlabelled type first, then the primary one where there is one
_OWN: dict[tuple[str, str], tuple[LinkType, ...]] = {
    (DEALS.name, CONTACTS.name): (_own(3, 4),),
    (CONTACTS.name, DEALS.name): (_own(4, 3),),
    (DEALS.name, COMPANIES.name): (_own(341, 342), _own(5, 6, primary=True)),
    (COMPANIES.name, DEALS.name): (_own(342, 341), _own(6, 5, primary=True)),
    (CONTACTS.name, COMPANIES.name): (_own(279, 280), _own(1, 2, primary=True)),
    (COMPANIES.name, CONTACTS.name): (_own(280, 279), _own(2, 1, primary=True)),
}


def default_type(kind: Kind, other: Kind) -> LinkType:
    """Return the unlabelled type between two kinds.

    Raises:
        ApiError: this account does not associate these two.
    """
    own = _OWN.get((kind.name, other.name))
    if own is None:
        raise ApiError(
            400,
            f"No association type between {kind.upper} and {other.upper}",
            sub_category="crm.associations.INVALID_ASSOCIATION_TYPE",
        )
    return own[0]


def types_between(tables: Tables, kind: Kind, other: Kind) -> list[LinkType]:
    """Return every type from one kind to another."""
    default_type(kind, other)
    labels = [
        _label(row)
        for row in tables.rows(_LABELS).values()
        if (row["from"], row["to"]) == (kind.name, other.name)
    ]
    return [*_OWN[kind.name, other.name], *labels]


def by_code(tables: Tables, kind: Kind, other: Kind, code: str) -> LinkType:
    """Return the type with that code; a label deleted since is shown without a name."""
    for own in _OWN[kind.name, other.name]:
        if own.code == code:
            return own
    row = tables.get(_LABELS, code)
    return LinkType(code, int(code[1:]), USER_DEFINED, None, code) if row is None else _label(row)


def asked_for(tables: Tables, kind: Kind, other: Kind, asked: Row) -> LinkType:
    """Return the type that `{"associationCategory", "associationTypeId"}` names.

    Raises:
        ApiError: there is none between these kinds.
    """
    category = text(asked, "associationCategory", HUBSPOT_DEFINED)
    type_id = number(asked, "associationTypeId", -1)
    for one in types_between(tables, kind, other):
        if one.category == category and one.type_id == type_id:
            return one
    raise ApiError(
        400,
        f"Association type {category} {type_id} is not valid between {kind.upper}"
        f" and {other.upper}",
        sub_category="crm.associations.INVALID_ASSOCIATION_TYPE",
    )


def create_label(tables: Tables, kind: Kind, other: Kind, asked: Row) -> list[JsonValue]:
    """Add a label in both directions; returns both as they are answered.

    Raises:
        ApiError: it has no label or name.
    """
    default_type(kind, other)
    label, name = text(asked, "label"), text(asked, "name")
    if not label or not name:
        raise ApiError(400, "Invalid input JSON: expected label and name")
    there = tables.next_number("association_label_id")
    back = tables.next_number("association_label_id")
    inverse_label = text(asked, "inverseLabel", label)
    rows: list[Row] = [
        {
            "from": one.name,
            "to": to.name,
            "typeId": type_id,
            "inverse": f"U{inverse}",
            "label": shown,
            "name": name,
        }
        for one, to, type_id, inverse, shown in (
            (kind, other, there, back, label),
            (other, kind, back, there, inverse_label),
        )
    ]
    for row in rows:
        tables.put(_LABELS, f"U{row['typeId']}", row)
    return [_label(row).shown() for row in rows]


def _label(row: Row) -> LinkType:
    type_id = number(row, "typeId")
    return LinkType(
        code=f"U{type_id}",
        type_id=type_id,
        category=USER_DEFINED,
        label=text(row, "label"),
        inverse=text(row, "inverse"),
    )
