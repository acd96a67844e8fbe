"""From a path to what answers it."""

from adapters.sandbox.hubspot import (
    account,
    actors,
    association_paths,
    objects,
    owners,
    pipeline_paths,
    properties,
    subscriptions,
)
from adapters.sandbox.hubspot.call import Call, Reply
from adapters.sandbox.hubspot.errors import no_such_path
from adapters.sandbox.hubspot.portal import Portal

#: the date versions whose paths stand beside the numbered ones
VERSIONS = frozenset({"2025-09", "2026-03", "2026-09"})


def answer(portal: Portal, call: Call) -> Reply:
    """Answer a call.

    Raises:
        ApiError: it is not a success.
    """
    match call.segments:
        case ("crm", "v3", "objects", type_name, *rest):
            return objects.answer(portal, call, type_name, tuple(rest))
        case ("crm", "objects", version, type_name, *rest) if version in VERSIONS:
            return _dated_objects(portal, call, type_name, tuple(rest))
        case ("crm", "v4", "objects", type_name, record_id, "associations", *rest):
            return association_paths.answer_record(portal, call, type_name, record_id, tuple(rest))
        case ("crm", "v4", "associations", from_type, to_type, *rest):
            return association_paths.answer_pair(portal, call, from_type, to_type, tuple(rest))
        case ("crm", "associations", version, from_type, to_type, *rest) if version in VERSIONS:
            return association_paths.answer_pair(portal, call, from_type, to_type, tuple(rest))
        case ("crm", "v3", "pipelines", type_name, *rest):
            return pipeline_paths.answer(portal, call, type_name, tuple(rest))
        case ("crm", "pipelines", version, type_name, *rest) if version in VERSIONS:
            return pipeline_paths.answer(portal, call, type_name, tuple(rest))
        case ("crm", "v3", "properties", type_name, *rest):
            return properties.answer(portal, call, type_name, tuple(rest))
        case ("crm", "properties", version, type_name, *rest) if version in VERSIONS:
            return properties.answer(portal, call, type_name, tuple(rest))
        case ("crm", "v3", "owners") | ("crm", "v3", "owners", _):
            actors.require(portal.tables, call.edit.actor, "crm.objects.owners.read")
            return owners.answer(portal, call)
        case ("account-info", "v3", "details"):
            return account.answer_details(portal, call)
        case ("oauth", "v2", "private-apps", "get", "access-token-info"):
            return account.answer_token(portal, call)
        case ("oauth", "v1", "access-tokens", _):
            return account.answer_oauth_token(portal, call)
        case ("webhooks", "v3", app_id, *rest):
            return subscriptions.answer(portal, call, app_id, tuple(rest))
        case _:
            raise no_such_path(call.path)


def _dated_objects(portal: Portal, call: Call, type_name: str, rest: tuple[str, ...]) -> Reply:
    match rest:
        case (record_id, "associations", *more):
            return association_paths.answer_record(portal, call, type_name, record_id, tuple(more))
        case _:
            return objects.answer(portal, call, type_name, rest)
