"""What people do in HubSpot's screens and no call can, and what an account's plan decides."""

from collections.abc import Callable, Mapping

from adapters.sandbox.box import ActionRefusedError
from adapters.sandbox.hubspot import (
    account,
    actors,
    default_properties,
    habits,
    limits,
    merging,
    owners,
    pipeline_paths,
    records,
    search,
    subscriptions,
)
from adapters.sandbox.hubspot.errors import ApiError
from adapters.sandbox.hubspot.kinds import CONTACTS, KINDS, Kind, kind_of
from adapters.sandbox.hubspot.portal import Edit, Portal
from adapters.sandbox.hubspot.rows import number, text, texts_in
from adapters.sandbox.tables import JsonValue, Row


class Done:
    """What an action did: the answer's body, the records, and that something changed."""

    def __init__(self, body: Row, *records_named: str) -> None:
        self.body = body
        self.records = records_named


def act(portal: Portal, action: str, arguments: Mapping[str, JsonValue], edit: Edit) -> Done:
    """Carry out an action.

    Raises:
        ActionRefusedError: unknown action or record, or an argument that cannot be used.
    """
    handler = _ACTIONS.get(action)
    if handler is None:
        known = ", ".join(sorted(_ACTIONS))
        raise ActionRefusedError(f"HubSpot has no action {action}; expected one of {known}")
    try:
        return handler(portal, dict(arguments), edit)
    except (ApiError, ValueError) as error:
        raise ActionRefusedError(f"{action}: {error}") from error


def _needed(arguments: Row, name: str) -> str:
    value = text(arguments, name)
    if not value:
        raise ValueError(f"expected {name}")
    return value


def _kind(arguments: Row) -> Kind:
    return kind_of(_needed(arguments, "object"))


def _restore(portal: Portal, arguments: Row, edit: Edit) -> Done:
    kind, record_id = _kind(arguments), _needed(arguments, "id")
    record = portal.archived(kind, record_id, edit.ms)
    if record is None:
        raise ValueError(f"{kind.singular} {record_id} is not in the bin, or no longer")
    records.restore(portal, kind, record, edit)
    return Done({"status": "restored", "id": record_id}, record_id)


def _privacy_delete(portal: Portal, arguments: Row, edit: Edit) -> Done:
    record_id = _needed(arguments, "id")
    kind = _kind(arguments) if "object" in arguments else CONTACTS
    record = portal.live(kind, record_id) or portal.stored(kind, record_id)
    if record is None:
        raise ValueError(f"there is no {kind.singular} {record_id}")
    merging.delete_for_good(portal, kind, record, edit)
    return Done({"status": "deleted", "id": record["id"]}, record["id"])


def _set_pipeline_limit(portal: Portal, arguments: Row, _edit: Edit) -> Done:
    count = number(arguments, "count", -1)
    if count < 1:
        raise ValueError("expected count, a whole number from 1")
    pipeline_paths.set_limit(portal.tables, count)
    return Done({"status": "set", "count": count})


def _set_webhook_target(portal: Portal, arguments: Row, edit: Edit) -> Done:
    url = _needed(arguments, "url")
    signatures = tuple(texts_in(arguments, "signatures")) or subscriptions.SIGNATURES
    app_id = number(arguments, "app_id", actors.ENGINE_APP_ID)
    subscriptions.set_target(portal.tables, app_id, url, edit.iso, signatures)
    return Done({"status": "set", "url": url, "appId": app_id})


def _add_owner(portal: Portal, arguments: Row, edit: Edit) -> Done:
    _needed(arguments, "email")
    owner = owners.add(portal.tables, arguments, edit.iso)
    return Done(owner, text(owner, "id"))


def _archive_owner(portal: Portal, arguments: Row, edit: Edit) -> Done:
    wanted = text(arguments, "id") or _needed(arguments, "email")
    owner = owners.archive(portal.tables, wanted, edit.iso)
    if owner is None:
        raise ValueError(f"there is no owner {wanted}")
    return Done(owner, text(owner, "id"))


def _add_connector_properties(portal: Portal, _arguments: Row, _edit: Edit) -> Done:
    default_properties.add_connector_properties(portal.tables)
    for kind in KINDS:
        portal.forget_rules(kind)
    return Done({"status": "added"})


def _set_scopes(portal: Portal, arguments: Row, _edit: Edit) -> Done:
    scopes = arguments.get("scopes")
    if not isinstance(scopes, list):
        raise ValueError("expected scopes, a list of names")  # noqa: TRY004 - it is an argument
    actors.set_scopes(portal.tables, _needed(arguments, "token"), scopes)
    return Done({"status": "set", "scopes": scopes})


def _set_account(portal: Portal, arguments: Row, _edit: Edit) -> Done:
    return Done(account.change(portal.tables, arguments))


def _set_rate_limit(portal: Portal, arguments: Row, _edit: Edit) -> Done:
    wanted = {name: value for name, value in arguments.items() if name != "as"}
    return Done(dict(limits.configure(portal.tables, wanted)))


def _set_close_date_habit(portal: Portal, arguments: Row, _edit: Edit) -> Done:
    whose = _needed(arguments, "whose")
    if whose not in habits.REWRITING:
        raise ValueError(f"whose must be one of {', '.join(habits.REWRITING)}")
    habits.set_rewriting(portal.tables, whose)
    return Done({"status": "set", "whose": whose})


def _set_search_lag(portal: Portal, arguments: Row, _edit: Edit) -> Done:
    ms = number(arguments, "milliseconds", -1)
    if ms < 0:
        raise ValueError("expected milliseconds, a whole number from 0")
    search.set_lag_ms(portal.tables, ms)
    return Done({"status": "set", "milliseconds": ms})


_ACTIONS: dict[str, Callable[[Portal, Row, Edit], Done]] = {
    "restore": _restore,
    "privacy_delete": _privacy_delete,
    "set_pipeline_limit": _set_pipeline_limit,
    "set_webhook_target": _set_webhook_target,
    "add_owner": _add_owner,
    "archive_owner": _archive_owner,
    "add_connector_properties": _add_connector_properties,
    "set_scopes": _set_scopes,
    "set_account": _set_account,
    "set_rate_limit": _set_rate_limit,
    "set_close_date_habit": _set_close_date_habit,
    "set_search_lag": _set_search_lag,
}
