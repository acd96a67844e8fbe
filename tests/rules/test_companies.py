"""The deal's primary company follows the opportunity's account."""

from domain import events
from domain.ids import salesforce_id
from domain.policy import Policy, Switches
from domain.rules import RuleId
from domain.writes import (
    AssociateCompany,
    CreateOpportunity,
    DissociateCompany,
    UpdateOpportunity,
)
from tests.support.scenario import Scenario

ACCOUNT = salesforce_id("001000000000001")
OFF = Policy(switches=Switches(company_sync=False))
NAME = "Acme Renewal"


def live(policy: Policy | None = None) -> Scenario:
    return Scenario().adopted(policy).linked_account(ACCOUNT, "88").live()


def test_the_company_follows_the_account() -> None:
    scenario = live()

    scenario.when(scenario.opportunity(40, name=NAME, account_id=ACCOUNT))

    assert [w.company_id for w in scenario.asked(AssociateCompany)] == ["88"]
    assert scenario.told(events.WriteDecided)[0].rule == RuleId.COMPANY_SYNC


def test_nothing_follows_while_company_sync_is_off() -> None:
    scenario = live(OFF)

    scenario.when(scenario.opportunity(40, name=NAME, account_id=ACCOUNT))

    assert scenario.writes() == ()


def test_an_account_that_is_not_linked_yet_makes_the_company_wait() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, name=NAME, account_id=ACCOUNT))

    assert scenario.writes() == ()
    assert (f"account:{ACCOUNT}",) == scenario.pair().waiting


def test_clearing_the_account_removes_only_a_company_that_we_gave() -> None:
    scenario = live()
    scenario.when(scenario.opportunity(40, name=NAME, account_id=ACCOUNT))
    (write,) = scenario.asked(AssociateCompany)
    scenario.given(scenario.done(write, 41), scenario.associations(42, company="88"))

    scenario.when(scenario.opportunity(50, name=NAME))

    assert [w.company_id for w in scenario.asked(DissociateCompany)] == ["88"]


def test_a_company_that_a_person_gave_fills_a_blank_account() -> None:
    scenario = live()

    scenario.when(scenario.associations(40, company="88"))

    (write,) = scenario.asked(UpdateOpportunity)
    assert {c.name: c.wire for c in write.fields} == {"AccountId": ACCOUNT}


def test_an_account_is_never_taken_off_an_opportunity() -> None:
    scenario = live()
    scenario.when(scenario.opportunity(40, name=NAME, account_id=ACCOUNT))
    (write,) = scenario.asked(AssociateCompany)
    scenario.given(scenario.done(write, 41), scenario.associations(42, company="88"))

    scenario.when(scenario.associations(50))

    assert scenario.asked(UpdateOpportunity) == ()
    assert [w.company_id for w in scenario.asked(AssociateCompany)] == ["88"]


def test_an_opportunity_created_from_a_deal_takes_its_company_s_account() -> None:
    scenario = Scenario().adopted().linked_account(ACCOUNT, "88")
    scenario.given(scenario.deal(0, reason="baseline"))
    scenario.given(scenario.associations(0, company="88", reason="baseline"))

    scenario.when(scenario.deal(10, amount="5", set_at={"amount": 9}))

    (create,) = scenario.asked(CreateOpportunity)
    assert ACCOUNT in [c.wire for c in create.fields if c.name == "AccountId"]
