"""Which opportunity and which deal are one pair, and that they stay so."""

from tests.acceptance.user import User


def test_a_deal_that_copies_a_link_enters_as_new(user: User) -> None:
    """Rules `copied-link`, `no-matching`."""
    opportunity_id, deal = user.synced("Cloned")
    user.act("hubspot", "add_connector_properties")

    clone = user.deal_like(deal, dealname="Clone", hs_salesforceopportunityid=opportunity_id)
    user.until_quiet()

    (made,) = user.opportunities_named("Clone")
    assert made["Id"] != opportunity_id
    assert made["DealSync_Deal_Id__c"] == clone
    assert user.living(clone)["dealsync_opportunity_id"] == made["Id"]
    assert user.opportunity(opportunity_id)["DealSync_Deal_Id__c"] == deal["id"]


def test_a_stopped_pair_gets_no_new_counterpart(user: User) -> None:
    """Rule `once-paired`: not by a trigger; by `resume` it does."""
    opportunity_id, deal = user.synced("Only once")
    user.edit_deal(deal["id"], pipeline="default", dealstage="appointmentscheduled")
    user.until_quiet()

    user.delete_opportunity(opportunity_id)
    user.until_quiet()
    assert user.deal(deal["id"]) is not None

    user.edit_deal(deal["id"], pipeline=deal["pipeline"], dealstage=deal["dealstage"])
    user.until_quiet()
    assert user.opportunities_named("Only once") == []

    user.done("pairs", "resume", deal["id"])
    user.until_quiet()
    (again,) = user.opportunities_named("Only once")
    assert user.living(deal["id"])["dealsync_opportunity_id"].startswith(again["Id"])
