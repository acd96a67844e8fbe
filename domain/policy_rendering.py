"""Writes a policy as a file that says everything, for people to compare and to start from."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from domain.policy import Policy

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


def render(policy: Policy) -> str:
    """Return a file that parses to the policy."""
    lines: list[str] = []
    for name in ("observe", "switches", "pipelines", "clocks", "deletes", "contacts", "budgets"):
        lines += _section(name, getattr(policy, name).model_dump())
    lines += _section("polling", policy.polling.model_dump())
    lines += _section(
        "pipelines.bind", {b.record_type_id: b.pipeline_id for b in policy.pipelines.bind}
    )
    lines += _section("stages", {})
    for record_type_id in dict.fromkeys(o.record_type_id for o in policy.stages):
        lines += _section(
            f"stages.{_quoted(record_type_id)}",
            {o.stage_name: o.stage_id for o in policy.stages if o.record_type_id == record_type_id},
        )
    for mapping in policy.mappings:
        lines += _section(
            f"fields.{mapping.name}",
            {
                "salesforce": mapping.salesforce,
                "hubspot": mapping.hubspot,
                "type": mapping.type.value,
                "rule": mapping.rule.value,
            },
        )
        if mapping.values:
            pairs = {pair.salesforce: pair.hubspot for pair in mapping.values}
            lines += _section(f"fields.{mapping.name}.values", pairs)
    return "\n".join(lines).lstrip() + "\n"


def _section(name: str, values: Mapping[str, object]) -> list[str]:
    rows = [
        f"{key if _BARE_KEY.fullmatch(key) else _quoted(key)} = {_toml(value)}"
        for key, value in values.items()
        if not (name == "pipelines" and key == "bind")
    ]
    return ["", f"[{name}]", *rows]


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | Decimal():
            return f"{value:f}" if isinstance(value, Decimal) else str(value)
        case list() | tuple():
            return "[" + ", ".join(_toml(part) for part in value) + "]"
        case _:
            return _quoted(str(value))


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's too, but for DEL, which TOML does not take as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
