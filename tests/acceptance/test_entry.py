"""Switches and entry: what was there before deal sync was switched on, and what brings it in."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.acceptance.user import User
from tests.support.program import running

OFF = "[switches]\ndeal_sync = false\n"
ON = "[switches]\ndeal_sync = true\n"


@dataclass(frozen=True)
class Backlog:
    """What was made while deal sync was off, and the user."""

    user: User
    #: opportunities by name
    opportunities: dict[str, str]
    #: deals by name
    deals: dict[str, str]
    #: how many deals and opportunities there were at the end of that time
    counts: tuple[int, int]
    #: how the import ended that ran meanwhile, and what it said
    imported: tuple[int, int]


def _counts(user: User) -> tuple[int, int]:
    deals = user.hubspot.crm.deals.get_all()
    return len(deals), len(user.query("SELECT Id FROM Opportunity WHERE IsDeleted = false"))


@pytest.fixture(scope="module")
def backlog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backlog]:
    """Run a program with deal sync off, let people work and import, then switch it on."""
    folder = tmp_path_factory.mktemp("entry")
    policy = folder / "policy.toml"
    policy.write_text(OFF, encoding="utf-8")
    with running(folder / "home", "--empty", "--policy", str(policy)) as program:
        user = User(program)
        user.act("hubspot", "add_connector_properties")
        names = ("Edited", "Imported", "Untouched", "By hand", "Named", "Joined", "Deleted")
        opportunities = {name: user.create_opportunity(name, Amount=1) for name in names}
        pipeline = user.pipelines()[f"Salesforce - {user.record_type('New Business')}"]
        like = {"pipeline": pipeline.id, "dealstage": user.stage(pipeline.id, "Prospecting")}
        deals = {
            name: user.deal_like(like, dealname=name, amount="1")
            for name in ("Deal edited", "Deal untouched", "Deal joined")
        }
        deals["Namesake"] = user.deal_like(
            like, dealname="Namesake", hs_salesforceopportunityid=opportunities["Named"], amount="8"
        )
        user.until_quiet()
        told = user.call("import", "opportunities", "--all", "--json")
        imported = (told.code, told.json["off"])
        counts = _counts(user)
        user.delete_opportunity(opportunities.pop("Deleted"))
        user.adopt(ON)
        user.until_quiet()
        yield Backlog(user, opportunities, deals, counts, imported)


def test_nothing_crosses_while_deal_sync_is_off(backlog: Backlog) -> None:
    """Rules `deal-sync-switch`, `enable-before-import`: an import then is spent, and says so."""
    assert backlog.imported == (3, 7)
    assert backlog.counts == (4, 7)


def test_switching_on_pushes_nothing(backlog: Backlog) -> None:
    """Rules `deal-sync-switch`, `entry-salesforce`, `entry-hubspot`."""
    assert _counts(backlog.user) == (4, 6)


def test_a_trigger_brings_a_record_in(backlog: Backlog) -> None:
    """Rules `entry-salesforce`, `entry-hubspot`, `trigger-fields`: other fields do nothing."""
    user, opportunities, deals = backlog.user, backlog.opportunities, backlog.deals
    user.edit_opportunity(opportunities["Edited"], Amount=2)
    user.edit_opportunity(opportunities["Untouched"], NextStep="call")
    user.edit_deal(deals["Deal edited"], amount="3")
    user.edit_deal(deals["Deal untouched"], hs_next_step="call")
    user.until_quiet()

    assert (user.deal_of(opportunities["Edited"]) or {})["amount"] == "2"
    assert user.deal_of(opportunities["Untouched"]) is None
    assert [one["Amount"] for one in user.opportunities_named("Deal edited")] == [3]
    assert user.opportunities_named("Deal untouched") == []


def test_what_is_imported_comes_in(backlog: Backlog) -> None:
    """Rules `import`, `sync-now`: repeating it does no harm."""
    user, opportunities, deals = backlog.user, backlog.opportunities, backlog.deals
    told = user.done("import", "opportunities", "--where", "Name = 'Imported'")
    assert (told["count"], told["created"]) == (1, 1)
    user.done("sync", opportunities["By hand"])
    user.done("sync", deals["Deal untouched"])
    user.until_quiet()
    assert user.deal_of(opportunities["Imported"]) is not None
    assert user.deal_of(opportunities["By hand"]) is not None
    assert len(user.opportunities_named("Deal untouched")) == 1

    before = _counts(user)
    told = user.done("import", "opportunities", "--ids", opportunities["Imported"])
    assert (told["count"], told["created"]) == (1, 0)
    user.until_quiet()
    assert _counts(user) == before


def test_records_that_name_each_other_are_paired(backlog: Backlog) -> None:
    """Rule `adopt`: Salesforce's values stand, or HubSpot's where Salesforce has none."""
    user = backlog.user
    opportunity_id, deal_id = backlog.opportunities["Named"], backlog.deals["Namesake"]
    user.edit_deal(deal_id, description="only here")
    user.edit_opportunity(opportunity_id, CloseDate="2027-01-31")
    user.until_quiet()

    assert user.opportunity(opportunity_id)["DealSync_Deal_Id__c"] == deal_id
    assert user.opportunity(opportunity_id)["Description"] == "only here"
    assert (user.deal_of(opportunity_id) or {})["id"] == deal_id
    assert user.living(deal_id)["amount"] == "1"
    assert user.opportunities_named("Namesake") == []


def test_two_records_are_paired_by_hand(backlog: Backlog) -> None:
    """Rule `no-matching`: a person may say what a name never says."""
    user = backlog.user
    opportunity_id, deal_id = backlog.opportunities["Joined"], backlog.deals["Deal joined"]

    user.done("pairs", "link", opportunity_id, deal_id)
    user.until_quiet()

    assert user.opportunity(opportunity_id)["DealSync_Deal_Id__c"] == deal_id
    assert user.living(deal_id)["dealname"] == "Joined"
