"""The people who can own records; made and archived by actions, read by `/crm/v3/owners`."""

from adapters.sandbox.hubspot.actors import PERSON_USER_ID
from adapters.sandbox.hubspot.call import Call, Reply
from adapters.sandbox.hubspot.errors import not_allowed, not_found
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import text
from adapters.sandbox.tables import JsonValue, Row, Tables

TABLE = "owner"
_ID_BASE = 70_000_000
_PAGE_DEFAULT = 100
_PAGE_MAX = 500


def add(tables: Tables, wanted: Row, at: str) -> Row:
    """Add an owner with `email`, `firstName`, `lastName`; returns the row."""
    number = tables.next_number(TABLE)
    owner: Row = {
        "id": str(_ID_BASE + number),
        "email": text(wanted, "email"),
        "type": "PERSON",
        "firstName": text(wanted, "firstName"),
        "lastName": text(wanted, "lastName"),
        "userId": PERSON_USER_ID + number - 1,
        "userIdIncludingInactive": PERSON_USER_ID + number - 1,
        "createdAt": at,
        "updatedAt": at,
        "archived": False,
    }
    tables.put(TABLE, text(owner, "id"), owner)
    return owner


def archive(tables: Tables, id_or_email: str, at: str) -> Row | None:
    """Deactivate an owner; returns the row, None if there is no such owner."""
    for key, owner in tables.rows(TABLE).items():
        if key == id_or_email or text(owner, "email").lower() == id_or_email.lower():
            archived: Row = {**owner, "archived": True, "updatedAt": at}
            archived.pop("userId", None)
            tables.put(TABLE, key, archived)
            return archived
    return None


def active_ids(tables: Tables) -> tuple[str, ...]:
    """Return the ids that a record's owner can be set to."""
    return tuple(key for key, owner in tables.rows(TABLE).items() if not owner["archived"])


def answer(portal: Portal, call: Call) -> Reply:
    """Answer `/crm/v3/owners` and `/crm/v3/owners/{id}`."""
    if call.method != "GET":
        raise not_allowed()
    rows = portal.tables.rows(TABLE)
    if len(call.segments) > 3:  # noqa: PLR2004 - crm, v3, owners
        return _one(rows.get(call.segments[3]), call)
    archived, email = call.flag("archived"), call.one("email").lower()
    found: list[JsonValue] = [
        owner
        for owner in rows.values()
        if bool(owner["archived"]) == archived
        and (not email or text(owner, "email").lower() == email)
    ]
    limit = call.limit(_PAGE_DEFAULT, _PAGE_MAX)
    start = call.after()
    body: Row = {"results": found[start : start + limit]}
    if start + limit < len(found):
        after = str(start + limit)
        link = f"{call.origin}{call.path}/?limit={limit}&after={after}"
        body["paging"] = {"next": {"after": after, "link": link}}
    return Reply(200, body)


def _one(owner: Row | None, call: Call) -> Reply:
    if owner is None or bool(owner["archived"]) != call.flag("archived"):
        raise not_found()
    return Reply(200, owner)
