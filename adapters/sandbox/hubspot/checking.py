"""Decides whether a request's property values are taken, all problems at once."""

import re
from collections.abc import Mapping

from adapters.sandbox.hubspot import owners, pipelines
from adapters.sandbox.hubspot.account import currencies
from adapters.sandbox.hubspot.errors import InvalidValuesError, Problem
from adapters.sandbox.hubspot.kinds import DEALS, Kind
from adapters.sandbox.hubspot.portal import Portal
from adapters.sandbox.hubspot.property_rules import PropertyRule, no_option, plain, taken
from adapters.sandbox.hubspot.rows import Record, text
from adapters.sandbox.tables import JsonValue

_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s.,;<>]+")


def checked(
    portal: Portal, kind: Kind, properties: Mapping[str, JsonValue], record: Record | None
) -> dict[str, str]:
    """Return the values as they are kept; "" blanks.

    Args:
        portal: the account.
        kind: what the record is.
        properties: as sent.
        record: what is changed; None for a creation.

    Raises:
        ApiError: one or more are not taken.
    """
    rules = portal.rules(kind)
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for name, sent in properties.items():
        rule = rules.get(name)
        if rule is None:
            problems.append(
                Problem(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
            )
            continue
        value = plain(sent)
        result = _read_only(rule) if rule.read_only else _taken(portal, rule, value)
        if isinstance(result, Problem):
            problems.append(result)
        else:
            values[name] = result
    if kind is DEALS and not problems:
        problems.extend(_misplaced(portal, values, record))
    if problems:
        raise InvalidValuesError(problems)
    return values


def _taken(portal: Portal, rule: PropertyRule, value: str | None) -> str | Problem:
    if value is None:
        return Problem(rule.name, "INVALID_VALUE", f'"{rule.name}" needs one value, not several')
    if not value:
        return ""
    kept = taken(rule, value)
    if isinstance(kept, Problem):
        return kept
    match rule.name:
        case "email":
            return _email(kept)
        case "hubspot_owner_id":
            return _owner(portal, kept)
        case "deal_currency_code":
            allowed = currencies(portal.tables)
            return kept if kept in allowed else no_option(rule.name, kept, allowed)
        case _:
            return kept


def _read_only(rule: PropertyRule) -> Problem:
    return Problem(
        rule.name,
        "READ_ONLY_VALUE",
        f'"{rule.name}" is a read only property; its value cannot be set.',
    )


def _email(value: str) -> str | Problem:
    lowered = value.strip().lower()
    if _EMAIL.fullmatch(lowered):
        return lowered
    return Problem("email", "INVALID_EMAIL", f"Email address {value} is invalid")


def _owner(portal: Portal, value: str) -> str | Problem:
    allowed = owners.active_ids(portal.tables)
    return value if value in allowed else no_option("hubspot_owner_id", value, allowed)


def _misplaced(portal: Portal, values: Mapping[str, str], record: Record | None) -> list[Problem]:
    """Return what is wrong with the pipeline and stage that a deal would be in."""
    if "pipeline" not in values and "dealstage" not in values:
        return []
    before = {} if record is None else record["values"]
    pipeline = values.get("pipeline", before.get("pipeline", pipelines.DEFAULT))
    if not pipelines.exists(portal.tables, pipeline):
        known = tuple(text(one, "id") for one in pipelines.live(portal.tables))
        return [no_option("pipeline", pipeline, known)]
    stage = values.get("dealstage", before.get("dealstage"))
    if stage is None:
        return []
    if pipelines.pipeline_of_stage(portal.tables, stage) == pipeline:
        return []
    found = portal.tables.get(pipelines.TABLE, pipeline) or {}
    stages = tuple(text(one, "id") for one in pipelines.live_stages(found))
    return [no_option("dealstage", stage, stages)]
