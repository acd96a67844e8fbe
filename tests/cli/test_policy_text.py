"""The policy file: the sample says the defaults, every mistake has its line and key."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.canonical import FieldType
from domain.mapping import DEFAULT_MAPPINGS, FieldRule, Mapping, ValuePair
from domain.policy import (
    Budgets,
    Clocks,
    Contacts,
    Observe,
    PipelineBinding,
    Pipelines,
    Policy,
    Polling,
    StageOverride,
    Switches,
)
from domain.policy_text import PolicyError, parse, render, sample
from domain.toml_table import line_of

RECORD_TYPE = "012000000000001AAA"


def test_the_sample_says_the_defaults() -> None:
    assert parse(sample()) == Policy()
    assert parse("") == Policy()


def test_a_default_field_is_changed_in_part() -> None:
    policy = parse('[fields.amount]\nrule = "prefer_salesforce"\n')
    amount = policy.mapping("Amount")

    assert amount is not None
    assert (amount.rule, amount.hubspot) == (FieldRule.PREFER_SALESFORCE, "amount")
    assert len(policy.mappings) == len(DEFAULT_MAPPINGS)


def test_a_field_of_ones_own_names_both_fields_and_the_type() -> None:
    policy = parse(
        """
[fields.region]
salesforce = "Region__c"
hubspot = "region"
type = "picklist"
values = { EMEA = "emea", Americas = "amer" }
"""
    )

    assert policy.mapping("region") == Mapping(
        name="region",
        salesforce="Region__c",
        hubspot="region",
        type=FieldType.PICKLIST,
        values=(
            ValuePair(salesforce="EMEA", hubspot="emea"),
            ValuePair(salesforce="Americas", hubspot="amer"),
        ),
    )


def test_a_tier_is_a_number_and_short_ids_are_made_long() -> None:
    policy = parse(
        f"""
[pipelines]
limit = "starter"
order = ["{RECORD_TYPE[:15]}"]
[pipelines.bind]
"{RECORD_TYPE[:15]}" = "default"
[stages]
"{RECORD_TYPE[:15]}" = {{ "Closed Won" = "closedwon" }}
"""
    )

    assert policy.pipelines.limit == 2
    assert policy.pipelines.order == (RECORD_TYPE,)
    assert policy.pipelines.bind[0].record_type_id == RECORD_TYPE
    assert policy.stages[0].stage_name == "Closed Won"


def test_numbers_are_exact() -> None:
    assert parse("[polling]\nsalesforce_seconds = 0.2\n").polling.salesforce_seconds == Decimal(
        "0.2"
    )


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ("[switches]\ndeal_synk = true", 2, "switches.deal_synk", "did you mean deal_sync?"),
        ("[switch]\n", 1, "switch", "did you mean switches?"),
        ('[switches]\ndeal_sync = "yes"', 2, "switches.deal_sync", "true or false"),
        ('[switches]\ncontact_removal = "keeep"', 2, "switches.contact_removal", "mean keep?"),
        ('[pipelines]\nlimit = "gold"', 2, "pipelines.limit", "professional"),
        ("[pipelines]\nlimit = -1", 2, "pipelines.limit", "-1"),
        ('[pipelines]\norder = ["006000000000001"]', 2, "pipelines.order", "012…"),
        ('[pipelines]\norder = "x"', 2, "pipelines.order", "list"),
        ("pipelines = 3", 1, "pipelines", "write it as [pipelines]"),
        ("[fields.amount]\nrule = 'twoway'", 2, "fields.amount.rule", "mean two_way?"),
        ("[fields.amount]\ntype = 'text'", 2, "fields.amount.type", "keeps its type"),
        ("[fields.name]\nsalesforce = 'X__c'", 2, "fields.name.salesforce", "always this field"),
        ("\n[fields.x]\nhubspot = 'x'", 2, "fields.x.salesforce", "names all three"),
        (
            "[fields.x]\nsalesforce='Amount'\nhubspot='x'\ntype='decimal'",
            2,
            "fields.x.salesforce",
            "amount has it already",
        ),
        (
            "[fields.x]\nsalesforce='X'\nhubspot='dealsync_state'\ntype='text'",
            3,
            "fields.x.hubspot",
            "may write",
        ),
        (
            "[fields.x]\nsalesforce='X'\nhubspot='x'\ntype='text'\nvalues={a='b'}",
            5,
            "fields.x.values",
            "only picklists",
        ),
        ("[fields.x]\nsalesforce='X'\nhubspot='x'\ntype='stage'", 4, "fields.x.type", "only the"),
        ("[clocks]\ntime_zone = 'Mars/Base'", 2, "clocks.time_zone", "Asia/Tokyo"),
        ("[clocks]\nskew_seconds = inf", 2, "clocks.skew_seconds", "0 to 3600"),
        ("[deletes]\nfuse_count = 1.5", 2, "deletes.fuse_count", "whole number"),
        ("[budgets]\nhubspot_daily_share = 2", 2, "budgets.hubspot_daily_share", "to 1"),
        ("a = 1\na = 2", 2, "a", "each key once"),
        ("[switches\n", 1, "", "expected TOML"),
        ("x = yes", 1, "x", "put text in quotes"),
    ],
)
def test_a_mistake_is_named_by_line_and_key(text: str, line: int, key: str, words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(text)
    problem = caught.value.problems[0]

    assert (problem.line, problem.key) == (line, key)
    assert words in problem.text
    assert str(problem).startswith(f"line {line}: ")


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(PolicyError) as caught:
        parse('[switches]\nlifecycle = 1\n[clocks]\nskew = 2\n[pipelines]\nlimit = "x"\n')

    assert [problem.line for problem in caught.value.problems] == [2, 4, 6]


def test_a_key_is_found_in_a_text() -> None:
    text = 'observe = {}\n[fields.amount]\nrule = "hold"\n'

    assert line_of(text, "fields.amount.rule") == 3
    assert line_of(text, "fields.amount.type") == 2
    assert line_of(text, "budgets.hubspot_daily_share") is None


_TEXT = st.text(min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
_SHARE = st.decimals("0.001", 1, places=3)


@st.composite
def _policies(draw: st.DrawFn) -> Policy:
    rules = draw(st.lists(st.sampled_from(FieldRule), min_size=7, max_size=7))
    usual = tuple(
        mapping.model_copy(update={"rule": rule})
        for mapping, rule in zip(DEFAULT_MAPPINGS, rules, strict=True)
    )
    values = draw(st.dictionaries(_TEXT, _TEXT, max_size=4))
    own = Mapping(
        name="own",
        salesforce="Own__c",
        hubspot="own",
        type=draw(st.sampled_from((FieldType.PICKLIST, FieldType.MULTI_PICKLIST))),
        values=tuple(ValuePair(salesforce=s, hubspot=h) for s, h in values.items()),
    )
    stages = draw(st.dictionaries(_TEXT, _TEXT, max_size=3))
    return Policy(
        observe=Observe(salesforce=tuple(draw(st.sets(_TEXT, max_size=3)))),
        switches=Switches(deal_sync=draw(st.booleans()), lifecycle=draw(st.booleans())),
        pipelines=Pipelines(
            limit=draw(st.integers(0, 100)),
            order=(RECORD_TYPE,),
            single_label=draw(_TEXT),
            bind=(PipelineBinding(record_type_id=RECORD_TYPE, pipeline_id=draw(_TEXT)),),
        ),
        mappings=(*usual, *draw(st.sampled_from(((), (own,))))),
        stages=tuple(
            StageOverride(record_type_id=RECORD_TYPE, stage_name=name, stage_id=stage_id)
            for name, stage_id in stages.items()
        ),
        clocks=Clocks(skew_seconds=draw(st.decimals(0, 3600, places=3))),
        contacts=Contacts(default_role=draw(_TEXT)),
        budgets=Budgets(hubspot_daily_share=draw(_SHARE)),
        polling=Polling(salesforce_seconds=draw(st.decimals("0.05", 100, places=2))),
    )


@given(_policies())
def test_a_policy_written_as_text_is_read_back(policy: Policy) -> None:
    assert parse(render(policy)) == policy
