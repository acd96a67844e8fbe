"""Deleting and bringing back: the recycle bin, what goes along, and the list of deletions.

A record of an undeletable object stays, marked, and what its deletion took along comes back with
it. A role that is deleted directly leaves no row at all, so only the list of deletions tells.
"""

from collections.abc import Iterator

from adapters.sandbox.salesforce import errors
from adapters.sandbox.salesforce.checks import check_unique
from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.records import living
from adapters.sandbox.salesforce.schema import ObjectType
from adapters.sandbox.tables import Row

#: the table of deletions: `object:id` → object, id, deletedDate
DELETION = "deletion"
#: in a deleted row: the record whose deletion took it along
TAKEN_BY = "_taken_by"
#: by object: the objects whose records go along, and their field that refers to it
CASCADE = {
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId")),
    "Opportunity": (("OpportunityContactRole", "OpportunityId"),),
    "PermissionSet": (
        ("PermissionSetAssignment", "PermissionSetId"),
        ("FieldPermissions", "ParentId"),
    ),
}


def delete(call: Call, object_type: ObjectType, record_id: str) -> None:
    """Delete a record and what goes along with it.

    Raises:
        errors.RefusedError: nothing was deleted.
    """
    row = living(call, object_type, record_id)
    if not object_type.deletable or not call.access.may_change(object_type):
        raise errors.insufficient_access()
    if object_type.name == "Account":
        _refuse_if_won(call, row)
    _remove(call, object_type, row, taken_by=None)


def mark_deleted(call: Call, object_type: ObjectType, row: Row, *, taken_by: str | None) -> Row:
    """Mark a row as deleted, enter it in the list of deletions, and return it."""
    marked: Row = {
        **row,
        "IsDeleted": True,
        "LastModifiedDate": call.stamp,
        "LastModifiedById": call.user_id,
        "SystemModstamp": call.stamp,
    }
    if taken_by is not None:
        marked[TAKEN_BY] = taken_by
    call.org.store.put(object_type.name, str(row["Id"]), marked)
    _enter(call, object_type, row)
    return marked


def undelete(call: Call, object_type: ObjectType, row: Row) -> None:
    """Bring a deleted record back, with what its deletion took along.

    Raises:
        errors.RefusedError: another record has a unique value of it by now.
    """
    back: Row = {
        **row,
        "IsDeleted": False,
        "LastModifiedDate": call.stamp,
        "LastModifiedById": call.user_id,
        "SystemModstamp": call.stamp,
    }
    back.pop(TAKEN_BY, None)
    check_unique(call, object_type, None, back)
    call.org.store.put(object_type.name, str(row["Id"]), back)
    call.org.store.drop(DELETION, _key(object_type, row))
    for child_type, child in list(_children(call, object_type, row)):
        if child.get("IsDeleted") and child.get(TAKEN_BY) == row["Id"]:
            undelete(call, child_type, child)


def _remove(call: Call, object_type: ObjectType, row: Row, *, taken_by: str | None) -> None:
    for child_type, child in list(_children(call, object_type, row)):
        if not child.get("IsDeleted"):
            _remove(call, child_type, child, taken_by=str(row["Id"]))
    if object_type.undeletable or (taken_by is not None and "IsDeleted" in object_type.by_name):
        mark_deleted(call, object_type, row, taken_by=taken_by)
    else:
        call.org.store.drop(object_type.name, str(row["Id"]))
        _enter(call, object_type, row)


def _children(call: Call, object_type: ObjectType, row: Row) -> Iterator[tuple[ObjectType, Row]]:
    for name, field in CASCADE.get(object_type.name, ()):
        child_type = call.org.schema.object(name)
        assert child_type is not None, "the cascade names standard objects"
        for key in call.org.store.find(name, field, row["Id"]):
            yield child_type, call.org.store.rows(name)[key]


def _refuse_if_won(call: Call, account: Row) -> None:
    rows = call.org.store.rows("Opportunity")
    for key in call.org.store.find("Opportunity", "AccountId", account["Id"]):
        if rows[key]["IsWon"] and not rows[key]["IsDeleted"]:
            raise RefusedError(
                "DELETE_FAILED",
                f"Your attempt to delete {account['Name']} could not be completed because some"
                " opportunities in that account were closed won. The opportunities that could not"
                f" be deleted are shown below.: {rows[key]['Name']}",
                fields=(),
            )


def _enter(call: Call, object_type: ObjectType, row: Row) -> None:
    call.org.store.put(
        DELETION,
        _key(object_type, row),
        {"object": object_type.name, "id": row["Id"], "deletedDate": call.stamp},
    )


def _key(object_type: ObjectType, row: Row) -> str:
    return f"{object_type.name}:{row['Id']}"
