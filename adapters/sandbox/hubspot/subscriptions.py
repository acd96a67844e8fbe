"""Where webhooks go and what they tell: `/webhooks/v3/{appId}/settings` and `/subscriptions`."""

from urllib.parse import urlsplit

from adapters.sandbox.hubspot import webhooks
from adapters.sandbox.hubspot.call import NO_CONTENT, Call, Reply, needed
from adapters.sandbox.hubspot.errors import ApiError, no_such_path, not_found
from adapters.sandbox.hubspot.kinds import KINDS
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.rows import row_in, rows_in, text
from adapters.sandbox.tables import JsonValue, Row, Tables

SUBSCRIPTIONS_MAX = 1_000
_CONCURRENT_DEFAULT = 10
_CONCURRENT_MIN = 6
SIGNATURES = ("v1", "v3")
_TYPES = frozenset(webhooks.default_event_types()) | {
    f"object.{what}" for what in webhooks.EVENT_KINDS
}


def set_target(
    tables: Tables, app_id: int, url: str, at: str, signatures: tuple[str, ...] = SIGNATURES
) -> None:
    """Send an app's webhooks to `url`; an app without subscriptions gets all of them.

    Raises:
        ValueError: it is no address, or a signature has no such version.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url} is no address; expected http://host:port/path")
    if not signatures or not set(signatures) <= set(SIGNATURES):
        raise ValueError(f"signatures must be some of {', '.join(SIGNATURES)}")
    before = tables.get(webhooks.APPS, str(app_id)) or {
        "createdAt": at,
        "throttling": {"maxConcurrentRequests": _CONCURRENT_DEFAULT},
    }
    tables.put(
        webhooks.APPS,
        str(app_id),
        {**before, "targetUrl": url, "updatedAt": at, "signatures": list[JsonValue](signatures)},
    )
    if not _of_app(tables, str(app_id)):
        for event_type in webhooks.default_event_types():
            _put(tables, str(app_id), {"eventType": event_type, "active": True}, at)


def answer(portal: Portal, call: Call, app_id: str, rest: tuple[str, ...]) -> Reply:
    """Answer what follows the app id in the path."""
    if not app_id.isdecimal():
        raise not_found()
    tables = portal.tables
    match call.method, rest:
        case _, ("settings",):
            return _settings(tables, call, app_id)
        case "GET", ("subscriptions",):
            return Reply(200, {"results": [_shown(row) for row in _of_app(tables, app_id)]})
        case "POST", ("subscriptions",):
            return Reply(201, _subscribe(tables, call, app_id))
        case "POST", ("subscriptions", "batch", "update"):
            return _batch(tables, call, app_id)
        case "GET", ("subscriptions", subscription_id):
            return Reply(200, _shown(_one(tables, app_id, subscription_id)))
        case "PATCH", ("subscriptions", subscription_id):
            found = _one(tables, app_id, subscription_id)
            return Reply(200, _switch(tables, call, found, call.body()))
        case "DELETE", ("subscriptions", subscription_id):
            _one(tables, app_id, subscription_id)
            tables.drop(webhooks.SUBSCRIPTIONS, subscription_id)
            call.changed = True
            return NO_CONTENT
        case _:
            raise no_such_path(call.path)


def _settings(tables: Tables, call: Call, app_id: str) -> Reply:
    row = tables.get(webhooks.APPS, app_id)
    match call.method:
        case "GET":
            if row is None:
                raise not_found()
        case "PUT":
            body = call.body()
            throttling = row_in(body, "throttling")
            concurrent = throttling.get("maxConcurrentRequests", _CONCURRENT_DEFAULT)
            if not isinstance(concurrent, int) or concurrent < _CONCURRENT_MIN:
                raise ApiError(400, "maxConcurrentRequests must be greater than 5")
            before = row or {"createdAt": call.edit.iso, "signatures": list(SIGNATURES)}
            row = {
                **before,
                "targetUrl": needed(body, "targetUrl"),
                "throttling": {"maxConcurrentRequests": concurrent},
                "updatedAt": call.edit.iso,
            }
            tables.put(webhooks.APPS, app_id, row)
            call.changed = True
        case "DELETE":
            tables.drop(webhooks.APPS, app_id)
            call.changed = True
            return NO_CONTENT
        case _:
            raise no_such_path(call.path)
    return Reply(200, {name: value for name, value in row.items() if name != "signatures"})


def _subscribe(tables: Tables, call: Call, app_id: str) -> Row:
    asked = call.body()
    event_type = needed(asked, "eventType")
    if event_type not in _TYPES:
        raise ApiError(400, f"eventType {event_type} is not valid")
    if event_type.startswith("object.") and text(asked, "objectTypeId") not in {
        kind.type_id for kind in KINDS
    }:
        raise ApiError(400, "object subscriptions need an objectTypeId")
    if event_type.endswith(".propertyChange"):
        needed(asked, "propertyName")
    if len(_of_app(tables, app_id)) >= SUBSCRIPTIONS_MAX:
        raise ApiError(400, f"An app can have {SUBSCRIPTIONS_MAX} subscriptions")
    wanted = ("eventType", "propertyName", "objectTypeId")
    if any(
        all(known.get(name) == asked.get(name) for name in wanted)
        for known in _of_app(tables, app_id)
    ):
        raise ApiError(409, "The subscription already exists", category="CONFLICT")
    # new ones start paused unless asked otherwise
    row: Row = {name: asked[name] for name in wanted if asked.get(name) is not None}
    row["active"] = asked.get("active") is True
    call.changed = True
    return _shown(_put(tables, app_id, row, call.edit.iso))


def _batch(tables: Tables, call: Call, app_id: str) -> Reply:
    results: list[JsonValue] = [
        _switch(tables, call, _one(tables, app_id, text(one, "id")), one)
        for one in rows_in(call.body(), "inputs")
    ]
    return Reply(
        200,
        {
            "completedAt": call.edit.iso,
            "startedAt": call.edit.iso,
            "status": "COMPLETE",
            "results": results,
        },
    )


def _switch(tables: Tables, call: Call, row: Row, asked: Row) -> Row:
    after: Row = {**row, "active": asked.get("active") is True, "updatedAt": call.edit.iso}
    tables.put(webhooks.SUBSCRIPTIONS, text(row, "id"), after)
    call.changed = True
    return _shown(after)


def _put(tables: Tables, app_id: str, wanted: Row, at: str) -> Row:
    subscription_id = str(1_000 + tables.next_number(webhooks.SUBSCRIPTIONS))
    row: Row = {
        "id": subscription_id,
        "appId": app_id,
        "createdAt": at,
        "updatedAt": at,
        **wanted,
    }
    tables.put(webhooks.SUBSCRIPTIONS, subscription_id, row)
    return row


def _one(tables: Tables, app_id: str, subscription_id: str) -> Row:
    row = tables.get(webhooks.SUBSCRIPTIONS, subscription_id)
    if row is None or row["appId"] != app_id:
        raise not_found()
    return row


def _of_app(tables: Tables, app_id: str) -> list[Row]:
    rows = tables.rows(webhooks.SUBSCRIPTIONS).values()
    return [row for row in rows if row["appId"] == app_id]


def _shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "appId"}
