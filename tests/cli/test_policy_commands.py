"""`policy show`, `check` and `adopt`: what is in force, and what would change."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import policy_difference
from domain.catalog import Catalog
from domain.facts import FieldSeen
from domain.mapping import DEFAULT_MAPPINGS
from domain.policy import Policy, Switches
from domain.policy_difference import Weight
from domain.policy_text import parse, sample
from tests.support.filled_home import FilledHome, Recorded, filled_home
from tests.support.program import dealsync_here
from tests.support.scenario import hubspot_catalog, salesforce_catalog


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledHome]:
    scenario = Recorded(Policy(switches=Switches(company_sync=False)))
    scenario.live()
    with filled_home(tmp_path_factory.mktemp("policy"), scenario) as filled:
        yield filled


def _file(folder: Path, text: str) -> str:
    path = folder / "wanted.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_default_is_the_commented_sample(tmp_path: Path) -> None:
    ended = dealsync_here(tmp_path / "home", "policy", "show", "--default")
    told = dealsync_here(tmp_path / "home", "policy", "show", "--default", "--json").json

    assert ended.out == sample() == told["text"]
    assert told["schema"] == "dealsync.policy/1"
    assert told["policy"]["clocks"]["skew_seconds"] == "2"


def test_the_policy_in_force_is_shown_as_text_that_can_be_adopted(home: FilledHome) -> None:
    ended = home.call("policy", "show")
    told = home.call("policy", "show", "--json").json

    assert parse(ended.out) == Policy(switches=Switches(company_sync=False))
    assert (told["version"], told["policy"]["switches"]["company_sync"]) == (1, False)


def test_nothing_in_force_is_said(tmp_path: Path) -> None:
    with filled_home(tmp_path) as filled:
        ended = filled.call("policy", "show", "--json")

    assert (ended.code, ended.json["code"]) == (1, "no_policy")


def test_a_malformed_file_ends_with_2_and_names_line_and_key(tmp_path: Path) -> None:
    path = _file(tmp_path, "[switches]\ndeal_synk = true\n")
    ended = dealsync_here(tmp_path / "home", "policy", "check", path, "--json")
    adopted = dealsync_here(tmp_path / "home", "policy", "adopt", path, "--json")

    assert (ended.code, ended.json["code"]) == (2, "malformed_policy")
    assert "line 2: switches.deal_synk" in ended.json["message"]
    assert adopted.code == 2
    assert not (tmp_path / "home").exists()


def test_the_same_policy_changes_nothing(home: FilledHome, tmp_path: Path) -> None:
    path = _file(tmp_path, "[switches]\ncompany_sync = false\n")
    ended = home.call("policy", "check", path, "--json")
    findings = [finding["key"] for finding in ended.json["findings"]]

    assert ended.json["schema"] == "dealsync.policy_check/1"
    assert (ended.json["in_force"], ended.json["changes"]) == (1, [])
    assert "switches.company_sync" not in findings


def test_company_sync_after_deal_sync_is_warned_of(home: FilledHome, tmp_path: Path) -> None:
    path = _file(tmp_path, "[switches]\ncompany_sync = true\n")
    ended = home.call("policy", "check", path, "--json")
    (finding,) = [f for f in ended.json["findings"] if f["key"] == "switches.company_sync"]

    assert ended.code == 3
    assert (finding["weight"], finding["line"]) == ("warning", 2)
    assert "dealsync import accounts" in finding["text"]


def test_what_would_differ_is_counted_over_live_pairs(home: FilledHome, tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        '[fields.type.values]\n"New Business" = "other"\n'
        '[fields.region]\nsalesforce = "Region__c"\nhubspot = "region"\ntype = "text"\n',
    )
    changes = home.call("policy", "check", path, "--json").json["changes"]
    people = home.call("policy", "check", path)

    assert changes == [
        {"field": "type", "what": "changed", "differ": 1, "unknown": 0},
        {"field": "region", "what": "new", "differ": 0, "unknown": 1},
    ]
    assert "1 of 1 live pairs differ" in people.out


def test_adopting_gives_the_next_version(tmp_path: Path) -> None:
    scenario = Recorded()
    scenario.adopted()
    with filled_home(tmp_path, scenario) as filled:
        path = _file(tmp_path, "[switches]\ndeal_sync = false\n")
        adopted = filled.call("policy", "adopt", path, "--json")
        again = filled.call("policy", "adopt", path, "--json")
        shown = filled.call("policy", "show", "--json").json
        (line,) = filled.call("audit", "list", "--limit", "1", "--json").json["items"]

    assert line["reason"] == "policy version 2 is in force"
    assert line["cause"]["by"].startswith("operator")
    assert (adopted.code, adopted.json["version"]) == (0, 2)
    assert again.json["version"] == 2
    assert shown["text"] == "[switches]\ndeal_sync = false\n"


def test_what_cannot_work_is_not_adopted(tmp_path: Path) -> None:
    scenario = Recorded()
    scenario.adopted()
    wrong = '[fields.region]\nsalesforce = "Region__c"\nhubspot = "region"\ntype = "text"\n'
    with filled_home(tmp_path, scenario) as filled:
        path = _file(tmp_path, wrong)
        checked = filled.call("policy", "check", path)
        refused = filled.call("policy", "adopt", path, "--json")
        ports = ("--salesforce-port", "0", "--hubspot-port", "0")
        up = filled.call("up", *ports, "--policy", path, "--json")
        shown = filled.call("policy", "show", "--json").json

    assert (up.code, up.json["code"]) == (2, "policy_problems")
    assert "✗" in checked.out
    assert (refused.code, refused.json["code"]) == (2, "policy_problems")
    assert "fields.region" in refused.json["message"]
    assert shown["version"] == 1


# -- types of both CRMs


def _seen(
    of: str, name: str, kind: str, *, is_writable: bool = True, values: tuple[str, ...] = ()
) -> FieldSeen:
    return FieldSeen(object=of, name=name, type=kind, is_writable=is_writable, values=values)


def _catalog(*fields: FieldSeen) -> Catalog:
    usual = (
        _seen("opportunity", "Name", "string"),
        _seen("opportunity", "StageName", "picklist"),
        _seen("opportunity", "CloseDate", "date"),
        _seen("opportunity", "Amount", "currency"),
        _seen("opportunity", "OwnerId", "reference"),
        _seen("opportunity", "Type", "picklist"),
        _seen("opportunity", "Description", "textarea"),
        _seen("deal", "dealname", "string"),
        _seen("deal", "dealstage", "enumeration"),
        _seen("deal", "closedate", "datetime"),
        _seen("deal", "amount", "number"),
        _seen("deal", "hubspot_owner_id", "enumeration"),
        _seen("deal", "dealtype", "enumeration"),
        _seen("deal", "description", "string"),
    )
    named = {(field.object, field.name): field for field in (*usual, *fields)}
    return Catalog(
        salesforce=salesforce_catalog(
            fields=tuple(f for f in named.values() if f.object == "opportunity")
        ),
        hubspot=hubspot_catalog(properties=tuple(f for f in named.values() if f.object == "deal")),
    )


def test_the_defaults_go_with_both_crms() -> None:
    assert policy_difference.findings(None, Policy(), _catalog()) == ()


@pytest.mark.parametrize(
    ("field", "key"),
    [
        (_seen("opportunity", "Amount", "date"), "fields.amount.type"),
        (_seen("opportunity", "Amount", "currency", is_writable=False), "fields.amount.rule"),
        (_seen("deal", "amount", "string"), "fields.amount.type"),
        (_seen("deal", "amount", "number", is_writable=False), "fields.amount.hubspot"),
    ],
)
def test_a_field_that_cannot_work_is_a_problem(field: FieldSeen, key: str) -> None:
    (finding,) = policy_difference.findings(None, Policy(), _catalog(field))

    assert (finding.weight, finding.key) == (Weight.PROBLEM, key)


def test_values_that_a_crm_does_not_have_are_warned_of() -> None:
    options = _seen("deal", "dealtype", "enumeration", values=("newbusiness",))
    (finding,) = policy_difference.findings(None, Policy(), _catalog(options))

    assert finding.weight is Weight.WARNING
    assert "'existingbusiness'" in finding.text


def test_what_the_policy_names_and_nobody_has_is_a_problem() -> None:
    policy = parse(
        '[pipelines]\norder = ["012000000000077"]\n'
        '[pipelines.bind]\n"012000000000001" = "none"\n'
        '[stages]\n"012000000000001" = { Limbo = "0" }\n'
    )
    keys = [finding.key for finding in policy_difference.findings(None, policy, _catalog())]

    assert keys == [
        "pipelines.order",
        "stages.012000000000001AAA",
        "pipelines.bind",
        "stages.012000000000001AAA",
    ]


def test_nothing_is_complained_of_that_nobody_knows() -> None:
    assert policy_difference.findings(None, Policy(), Catalog()) == ()
    assert len(DEFAULT_MAPPINGS) == 7
