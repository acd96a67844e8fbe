"""The policy as text: the file `dealsync.toml`, read and written.

`parse` takes a whole file and either returns a policy or says everything that is wrong with it, by
line and key. What a file leaves out has its default; the seven default fields are always there, and
a `[fields.NAME]` of one of them changes what it names. `docs/policy.md` explains each key.
"""

import re
from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain import ids
from domain.canonical import FieldType
from domain.mapping import (
    CLOSE_DATE,
    DEFAULT_MAPPINGS,
    NAME,
    OWNER,
    STAGE,
    Mapping,
    ValuePair,
)
from domain.policy import (
    TIER_LIMITS,
    Budgets,
    Clocks,
    Contacts,
    Deletes,
    Observe,
    PipelineBinding,
    Pipelines,
    Policy,
    Polling,
    StageOverride,
    Switches,
)
from domain.policy_rendering import render
from domain.policy_sample import SAMPLE
from domain.toml_table import PolicyError, PolicyProblem, TomlTable

__all__ = ["PolicyError", "PolicyProblem", "parse", "render", "sample"]

PIPELINE_LIMIT_MAX: Final = 1_000
_RECORD_TYPE_PREFIX: Final = "012"
_ACCOUNT_ZONE: Final = "account"
_SALESFORCE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_HUBSPOT_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_]*")
_DEFAULTS: Final = {mapping.name: mapping for mapping in DEFAULT_MAPPINGS}
#: fields that the engine's own rules read under these names
_FIXED: Final = (NAME, STAGE, CLOSE_DATE, OWNER)
#: what crosses by a rule of its own, or is ours; never by a mapping
_RESERVED: Final = frozenset(
    {
        *("id", "recordtypeid", "accountid", "isclosed", "iswon", "isdeleted"),
        *("dealsync_deal_id__c", "pipeline", "hs_object_id", "createdate"),
    }
)
_OWN_PREFIX: Final = "dealsync_"
_SECTIONS: Final = (
    *("observe", "switches", "pipelines", "fields", "stages", "clocks"),
    *("deletes", "contacts", "budgets", "polling"),
)


def parse(text: str, *, shared_fields: bool = False) -> Policy:
    """Read a policy file.

    Args:
        text: the file.
        shared_fields: let a field be in more than one mapping: to try out what comes of it, never
            to adopt it.

    Raises:
        PolicyError: it is malformed; every mistake is named.
    """
    root = TomlTable.of_text(text)
    root.only(_SECTIONS)
    policy = Policy(
        observe=_observe(root.table("observe")),
        switches=_switches(root.table("switches")),
        pipelines=_pipelines(root.table("pipelines")),
        mappings=_mappings(root.table("fields"), shared=shared_fields),
        stages=_stages(root.table("stages")),
        clocks=_clocks(root.table("clocks")),
        deletes=_deletes(root.table("deletes")),
        contacts=_contacts(root.table("contacts")),
        budgets=_budgets(root.table("budgets")),
        polling=_polling(root.table("polling")),
    )
    root.check()
    return policy


def sample() -> str:
    """Return a commented file that says the defaults."""
    return SAMPLE


# -- sections -----------------------------------------------------------------------------------


def _observe(table: TomlTable) -> Observe:
    table.only(Observe.model_fields)
    return Observe(salesforce=table.texts("salesforce"), hubspot=table.texts("hubspot"))


def _switches(table: TomlTable) -> Switches:
    table.only(Switches.model_fields)
    usual = Switches()
    return Switches(
        deal_sync=table.flag("deal_sync", default=usual.deal_sync),
        company_sync=table.flag("company_sync", default=usual.company_sync),
        lifecycle=table.flag("lifecycle", default=usual.lifecycle),
        record_status=table.flag("record_status", default=usual.record_status),
        contact_removal=table.choice("contact_removal", usual.contact_removal),
        recent_deal=table.choice("recent_deal", usual.recent_deal),
    )


def _pipelines(table: TomlTable) -> Pipelines:
    table.only(Pipelines.model_fields)
    usual = Pipelines()
    bind = table.table("bind")
    return Pipelines(
        limit=_limit(table, usual.limit),
        order=tuple(
            record_type_id
            for text in table.texts("order")
            if (record_type_id := _record_type_id(table, "order", text)) is not None
        ),
        single_label=table.text(
            "single_label", usual.single_label, expected="a label", is_good=_is_filled
        ),
        bind=tuple(
            PipelineBinding(
                record_type_id=record_type_id,
                pipeline_id=bind.text(text, "", expected="a pipeline's id", is_good=_is_filled),
            )
            for text in bind.content
            if (record_type_id := _record_type_id(bind, text, text)) is not None
        ),
    )


def _limit(table: TomlTable, usual: int) -> int:
    found = table.content.get("limit", usual)
    if isinstance(found, str) and found in TIER_LIMITS:
        return TIER_LIMITS[found]
    if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= PIPELINE_LIMIT_MAX:
        return found
    tiers = ", ".join(TIER_LIMITS)
    table.wrong(
        "limit",
        f"one of {tiers}, or a number up to {PIPELINE_LIMIT_MAX}",
        found,
        "see HubSpot's Account & Billing page for the subscription",
    )
    return usual


def _stages(table: TomlTable) -> tuple[StageOverride, ...]:
    overrides: list[StageOverride] = []
    for text in table.content:
        record_type_id = _record_type_id(table, text, text)
        stages = table.table(text)
        overrides += [
            StageOverride(
                record_type_id=record_type_id or text,
                stage_name=name,
                stage_id=stages.text(name, "", expected="a stage's id", is_good=_is_filled),
            )
            for name in stages.content
        ]
    return tuple(overrides)


def _clocks(table: TomlTable) -> Clocks:
    table.only(Clocks.model_fields)
    usual = Clocks()
    return Clocks(
        skew_seconds=table.number("skew_seconds", usual.skew_seconds, low="0", high="3600"),
        time_zone=table.text(
            "time_zone",
            usual.time_zone,
            expected=f"{_ACCOUNT_ZONE!r} or a zone such as 'Asia/Tokyo'",
            is_good=_is_zone,
        ),
    )


def _deletes(table: TomlTable) -> Deletes:
    table.only(Deletes.model_fields)
    usual = Deletes()
    return Deletes(
        fuse_count=table.whole("fuse_count", usual.fuse_count, low=1, high=1_000_000),
        fuse_share=table.number("fuse_share", usual.fuse_share, low="0.0001", high="1"),
        fuse_minutes=table.number("fuse_minutes", usual.fuse_minutes, low="0.1", high="10080"),
    )


def _contacts(table: TomlTable) -> Contacts:
    table.only(Contacts.model_fields)
    return Contacts(default_role=table.text("default_role", Contacts().default_role))


def _budgets(table: TomlTable) -> Budgets:
    table.only(Budgets.model_fields)
    usual = Budgets()
    return Budgets(
        salesforce_daily_share=table.number(
            "salesforce_daily_share", usual.salesforce_daily_share, low="0.001", high="1"
        ),
        hubspot_daily_share=table.number(
            "hubspot_daily_share", usual.hubspot_daily_share, low="0.001", high="1"
        ),
    )


def _polling(table: TomlTable) -> Polling:
    table.only(Polling.model_fields)
    usual = Polling()
    return Polling(
        salesforce_seconds=table.number(
            "salesforce_seconds", usual.salesforce_seconds, low="0.05", high="86400"
        ),
        hubspot_seconds=table.number(
            "hubspot_seconds", usual.hubspot_seconds, low="0.05", high="86400"
        ),
    )


# -- fields -------------------------------------------------------------------------------------


def _mappings(table: TomlTable, *, shared: bool) -> tuple[Mapping, ...]:
    mappings = dict(_DEFAULTS)
    for name in table.content:
        mapping = _mapping(table.table(name), name, _DEFAULTS.get(name))
        if not _SALESFORCE_NAME.fullmatch(name):
            table.wrong(name, "a name of letters, digits and underscores", name, "rename it")
        elif mapping is not None:
            mappings[name] = mapping
    if not shared:
        _check_once(table, mappings.values())
    return tuple(mappings.values())


def _mapping(table: TomlTable, name: str, usual: Mapping | None) -> Mapping | None:
    """Return a mapping as a table says it, or None if too little is right."""
    table.only(("salesforce", "hubspot", "type", "rule", "values"))
    missing = [key for key in ("salesforce", "hubspot", "type") if key not in table]
    if usual is None and missing:
        for key in missing:
            table.wrong(key, f"a value for {key}", None, "a field of your own names all three")
        return None
    if usual is None:
        usual = Mapping(name=name, salesforce="", hubspot="", type=FieldType.TEXT)
    mapping = Mapping(
        name=name,
        salesforce=table.text(
            "salesforce",
            usual.salesforce,
            expected="the API name of a Salesforce field that a mapping may write",
            is_good=lambda text: _is_field(text, _SALESFORCE_NAME),
            remedy="such as Next_Step__c",
        ),
        hubspot=table.text(
            "hubspot",
            usual.hubspot,
            expected="the internal name of a HubSpot property that a mapping may write",
            is_good=lambda text: _is_field(text, _HUBSPOT_NAME),
            remedy="such as hs_next_step",
        ),
        type=table.choice("type", usual.type),
        rule=table.choice("rule", usual.rule),
        values=usual.values,
    )
    _check_fixed(table, mapping, _DEFAULTS.get(name))
    if "values" not in table:
        return mapping
    if mapping.type not in (FieldType.PICKLIST, FieldType.MULTI_PICKLIST):
        table.wrong("values", "no table of values", mapping.type.value, "only picklists have one")
        return mapping
    return mapping.model_copy(update={"values": _values(table.table("values"))})


def _values(table: TomlTable) -> tuple[ValuePair, ...]:
    return tuple(
        ValuePair(
            salesforce=value,
            hubspot=table.text(
                value, "", expected="the internal value of a HubSpot option", is_good=_is_filled
            ),
        )
        for value in table.content
    )


def _check_fixed(table: TomlTable, mapping: Mapping, usual: Mapping | None) -> None:
    if usual is None:
        if mapping.type is FieldType.STAGE:
            table.wrong("type", "a type other than stage", "stage", "only the stage field has it")
        return
    if mapping.type is not usual.type:
        table.wrong("type", usual.type.value, mapping.type.value, "a default field keeps its type")
    for key, found, expected in (
        ("salesforce", mapping.salesforce, usual.salesforce),
        ("hubspot", mapping.hubspot, usual.hubspot),
    ):
        if usual.name in _FIXED and found != expected:
            table.wrong(key, expected, found, f"{usual.name} is always this field")


def _check_once(table: TomlTable, mappings: Iterable[Mapping]) -> None:
    """Note each field that is in two mappings."""
    seen: dict[tuple[str, str], str] = {}
    for mapping in sorted(mappings, key=lambda m: m.name in table):
        for key, field in (("salesforce", mapping.salesforce), ("hubspot", mapping.hubspot)):
            first = seen.setdefault((key, field.lower()), mapping.name)
            if field and first != mapping.name:
                table.table(mapping.name).wrong(
                    key, "a field of no other mapping", field, f"{first} has it already"
                )


# -- words --------------------------------------------------------------------------------------


def _record_type_id(table: TomlTable, key: str, text: str) -> str | None:
    """Return the 18-character form, or None with a problem noted."""
    if ids.is_salesforce_id(text) and text.startswith(_RECORD_TYPE_PREFIX):
        return ids.salesforce_id(text)
    table.wrong(key, "a record type's id, 012…", text, "Setup shows it in the page's address")
    return None


def _is_filled(text: str) -> bool:
    return bool(text.strip())


def _is_field(text: str, pattern: re.Pattern[str]) -> bool:
    lowered = text.lower()
    is_ours = lowered in _RESERVED or lowered.startswith(_OWN_PREFIX)
    return pattern.fullmatch(text) is not None and not is_ours


def _is_zone(text: str) -> bool:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
