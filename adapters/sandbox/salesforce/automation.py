"""What an admin put between a write and the record: before-save flows and validation rules.

Small on purpose: enough to see a CRM change or refuse what was written. Kept in the tables `flow`
and `validation_rule`, in the order in which they were added.
"""

from collections.abc import Callable, Mapping

from adapters.sandbox.salesforce.errors import RefusedError
from adapters.sandbox.salesforce.org import Call
from adapters.sandbox.salesforce.schema import ObjectType
from adapters.sandbox.salesforce.values import saved
from adapters.sandbox.tables import JsonValue, Row

FLOW = "flow"
RULE = "validation_rule"


def _is_blank(value: JsonValue) -> bool:
    return value is None or value == ""


def _greater(left: JsonValue, right: JsonValue) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left > right
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return left > right
    return False


#: by operator: (value now, value before, value of the rule) → whether the record is refused
OPERATORS: Mapping[str, Callable[[JsonValue, JsonValue, JsonValue], bool]] = {
    "always": lambda _now, _before, _limit: True,
    "blank": lambda now, _before, _limit: _is_blank(now),
    "not_blank": lambda now, _before, _limit: not _is_blank(now),
    "changed": lambda now, before, _limit: now != before,
    "=": lambda now, _before, limit: now == limit,
    "!=": lambda now, _before, limit: now != limit,
    ">": lambda now, _before, limit: _greater(now, limit),
    "<": lambda now, _before, limit: _greater(limit, now),
}


def run_flows(call: Call, object_type: ObjectType, before: Row | None, after: Row) -> None:
    """Let the before-save flows change the record that is about to be saved."""
    for flow in call.org.store.rows(FLOW).values():
        if flow["object"] != object_type.name:
            continue
        field = object_type.field(str(flow["field"]))
        if field is None:
            continue
        match flow["operation"]:
            case "keep":
                after[field.name] = None if before is None else before.get(field.name)
            case "upper":
                value = after.get(field.name)
                after[field.name] = value.upper() if isinstance(value, str) else value
            case _:
                after[field.name] = saved(field, flow["value"])


def check_rules(call: Call, object_type: ObjectType, before: Row | None, after: Row) -> None:
    """Refuse the record that is about to be saved if a validation rule says so.

    Raises:
        RefusedError: the first rule that objects.
    """
    for rule in call.org.store.rows(RULE).values():
        if rule["object"] != object_type.name or rule["only_for"] not in (
            None,
            call.user["Username"],
        ):
            continue
        name = str(rule["field"])
        was = None if before is None else before.get(name)
        if OPERATORS[str(rule["operator"])](after.get(name), was, rule["value"]):
            raise RefusedError(
                "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                str(rule["message"]),
                fields=() if rule["unnamed"] else (name,),
            )
