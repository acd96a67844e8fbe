"""Creates a record together with the associations that the request asks for."""

from adapters.sandbox.hubspot import association_types, associations, records
from adapters.sandbox.hubspot.association_types import LinkType
from adapters.sandbox.hubspot.call import Call
from adapters.sandbox.hubspot.errors import ApiError, invalid_json
from adapters.sandbox.hubspot.kinds import KINDS, Kind
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import Record, row_in, rows_in, text
from adapters.sandbox.tables import Row


def created(portal: Portal, call: Call, kind: Kind, asked: Row) -> Record:
    """Create a record with its inline associations.

    Raises:
        ApiError: it cannot be; nothing was created.
    """
    links = inline_links(portal, kind, asked)
    record = records.create(portal, kind, row_in(asked, "properties"), call.edit)
    call.records.append(record["id"])
    call.changed = True
    for other, other_id, types in links:
        ids = (record["id"], other_id)
        associations.associate(portal, (kind, other), ids, types, call.edit)
    return record


def inline_links(portal: Portal, kind: Kind, asked: Row) -> list[tuple[Kind, str, list[LinkType]]]:
    """Return the associations that a creation asks for: other kind, its id, types.

    Raises:
        ApiError: a type does not exist, or the other record does not.
    """
    links = []
    for one in rows_in(asked, "associations"):
        other_id = text(row_in(one, "to"), "id")
        types = rows_in(one, "types")
        if not types:
            raise invalid_json("types of each association")
        other, first = _asked_type(portal, kind, types[0])
        wanted = [first]
        wanted += [
            association_types.asked_for(portal.tables, kind, other, more) for more in types[1:]
        ]
        record = portal.live(other, other_id)
        if record is None:
            raise ApiError(
                400,
                f"Could not get some {other.upper} objects, they may be deleted or not exist."
                " Check that ids are valid.",
                context={"ids": [other_id]},
            )
        links.append((other, record["id"], wanted))
    return links


def _asked_type(portal: Portal, kind: Kind, asked: Row) -> tuple[Kind, LinkType]:
    for other in KINDS:
        if other is kind:
            continue
        for one in association_types.types_between(portal.tables, kind, other):
            if (one.category, str(one.type_id)) == (
                text(asked, "associationCategory"),
                text(asked, "associationTypeId"),
            ):
                return other, one
    raise ApiError(
        400,
        f"Association type {text(asked, 'associationCategory')}"
        f" {text(asked, 'associationTypeId')} is not valid for {kind.upper}",
        sub_category="crm.associations.INVALID_ASSOCIATION_TYPE",
    )
