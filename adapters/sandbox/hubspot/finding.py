"""The way to a record by any of its names: its id, an id merged into it, a unique value."""

from adapters.sandbox.hubspot import unique
from adapters.sandbox.hubspot.errors import ApiError
from adapters.sandbox.hubspot.kinds import Kind
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import Record


def named(portal: Portal, kind: Kind, name: str, id_property: str) -> Record | None:
    """Return the live record with that id, or that value of a unique property.

    Raises:
        ApiError: the property is not unique.
    """
    if not id_property or id_property == "hs_object_id":
        return portal.live(kind, name)
    value = _unique_value(portal, kind, name, id_property)
    found = unique.holder(portal, kind, id_property, value)
    if found is None or found["id"] is None:
        return None
    return portal.live(kind, found["id"])


def archived_named(
    portal: Portal, kind: Kind, name: str, id_property: str, ms: int
) -> Record | None:
    """Return the record in the bin with that id or unique value, the latest if there are several.

    Raises:
        ApiError: the property is not unique.
    """
    if not id_property or id_property == "hs_object_id":
        return portal.archived(kind, name, ms)
    value = _unique_value(portal, kind, name, id_property)
    found = unique.holder(portal, kind, id_property, value)
    for record_id in reversed([] if found is None else found["archived"]):
        record = portal.archived(kind, record_id, ms)
        if record is not None:
            return record
    return None


def _unique_value(portal: Portal, kind: Kind, name: str, id_property: str) -> str:
    if not unique.is_unique(portal, kind, id_property):
        raise ApiError(
            400,
            f"{id_property} is not a unique property of {kind.upper}",
            context={"idProperty": [id_property]},
        )
    return name.strip().lower() if id_property == "email" else name
