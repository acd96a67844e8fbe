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


def test_records_paired_twice_are_joined_by_hand(user: User) -> None:
    """Rule `no-matching`: created on both sides they are two pairs, until a person joins them."""
    opportunity_id, spare_deal = user.synced("Same firm")
    place = {name: spare_deal[name] for name in ("pipeline", "dealstage")}
    deal_id = user.create_deal(dealname="Same firm, once more", **place)
    user.until_quiet()
    (spare,) = user.opportunities_named("Same firm, once more")

    user.done("pairs", "unlink", opportunity_id)
    user.done("pairs", "unlink", deal_id)
    user.done("pairs", "link", opportunity_id, deal_id)
    user.until_quiet()
    assert user.living(deal_id)["dealname"] == "Same firm"
    assert user.living(deal_id)["dealsync_state"] == "live"
    assert user.opportunity(opportunity_id)["DealSync_Deal_Id__c"].startswith(deal_id)

    user.edit_deal(deal_id, amount="77")
    user.edit_deal(spare_deal["id"], dealname="left over")
    user.edit_opportunity(spare["Id"], Name="left over as well")
    user.until_quiet()
    assert user.opportunity(opportunity_id)["Amount"] == 77
    assert user.opportunity(opportunity_id)["Name"] == "Same firm"
    assert user.opportunities_named("left over") == []
    assert user.living(deal_id)["dealname"] == "Same firm"
