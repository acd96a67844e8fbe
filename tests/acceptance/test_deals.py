"""What users see in both CRMs while `dealsync up` runs, rule by rule."""

from tests.acceptance.user import User


def test_a_new_opportunity_becomes_a_deal(user: User) -> None:
    """Rules `entry-salesforce`, `created-with`, `link-ids`."""
    opportunity_id, deal = user.synced("New one", Amount=1200, Type="New Business")

    assert (
        deal["dealname"],
        deal["amount"],
        deal["dealtype"],
    ) == ("New one", "1200", "newbusiness")
    assert opportunity_id == deal["dealsync_opportunity_id"]
    assert deal["id"] == user.opportunity(opportunity_id)["DealSync_Deal_Id__c"]


def test_a_new_deal_in_a_synced_pipeline_becomes_an_opportunity(user: User) -> None:
    """Rule `entry-hubspot`."""
    _, deal = user.synced("Shows the pipeline")

    user.create_deal(
        dealname="From HubSpot",
        pipeline=deal["pipeline"],
        dealstage=deal["dealstage"],
        amount="55",
        closedate="2026-12-01T12:00:00Z",
    )
    user.until_quiet()

    assert [o["Amount"] for o in user.opportunities_named("From HubSpot")] == [55.0]


def test_edits_cross_both_ways(user: User) -> None:
    """Rules `field-rule`, `who-wins`, `number-only`, `echo`."""
    opportunity_id, deal = user.synced("Both ways", Amount=1)

    user.edit_deal(deal["id"], amount="2.50")
    user.until_quiet()
    assert user.opportunity(opportunity_id)["Amount"] == 2.5

    user.edit_opportunity(opportunity_id, Amount=3, Description="said")
    user.until_quiet()
    seen = user.deal(deal["id"]) or {}
    assert (seen["amount"], seen["description"]) == ("3", "said")


def test_clearing_a_value_clears_it_on_the_other_side(user: User) -> None:
    """Rule `blank`."""
    opportunity_id, deal = user.synced("Cleared", Description="there")

    user.edit_deal(deal["id"], description="")
    user.until_quiet()

    assert user.opportunity(opportunity_id)["Description"] is None


def test_a_name_cleared_in_hubspot_is_put_back(user: User) -> None:
    """Rule `required`."""
    opportunity_id, deal = user.synced("Stays named")

    user.edit_deal(deal["id"], dealname="")
    user.until_quiet()

    assert (user.deal(deal["id"]) or {})["dealname"] == "Stays named"
    assert user.opportunity(opportunity_id)["Name"] == "Stays named"


def test_the_deal_is_deleted_with_its_opportunity(user: User) -> None:
    """Rule `delete-down`."""
    opportunity_id, deal = user.synced("Deleted down")

    user.delete_opportunity(opportunity_id)
    user.until_quiet()

    assert user.deal(deal["id"]) is None
    assert user.deal(deal["id"], archived=True) is not None


def test_deleting_the_deal_leaves_the_opportunity(user: User) -> None:
    """Rules `delete-never-up`, `tombstone`: nor does an edit bring the deal back."""
    opportunity_id, deal = user.synced("Never up")

    user.archive_deal(deal["id"])
    user.until_quiet()
    user.edit_opportunity(opportunity_id, Amount=9)
    user.until_quiet()

    assert user.opportunity(opportunity_id)["IsDeleted"] is False
    assert user.deal_of(opportunity_id) is None


def test_an_undeleted_opportunity_gets_a_deal_again(user: User) -> None:
    """Rule `undelete`."""
    opportunity_id, _ = user.synced("Undeleted")
    user.delete_opportunity(opportunity_id)
    user.until_quiet()

    user.act("salesforce", "undelete", id=opportunity_id)
    user.until_quiet()

    again = user.deal_of(f"{opportunity_id}:2")
    assert again is not None
    assert again["dealname"] == "Undeleted"


def test_a_deal_moved_out_stops_and_moved_back_resumes(user: User) -> None:
    """Rules `pipeline-scope`, `record-status`."""
    opportunity_id, deal = user.synced("In and out", Amount=1)
    user.edit_deal(deal["id"], pipeline="default", dealstage="appointmentscheduled")
    user.until_quiet()

    user.edit_opportunity(opportunity_id, Amount=2)
    user.until_quiet()
    stopped = user.deal(deal["id"]) or {}
    assert (stopped["amount"], stopped["dealsync_state"]) == ("1", "stopped")

    user.edit_deal(deal["id"], pipeline=deal["pipeline"], dealstage=deal["dealstage"])
    user.until_quiet()
    resumed = user.deal(deal["id"]) or {}
    assert (resumed["amount"], resumed["dealsync_state"]) == ("2", "live")


def test_stages_cross_both_ways(user: User) -> None:
    """Rule `stage-map`."""
    opportunity_id, deal = user.synced("Stages")

    user.edit_opportunity(opportunity_id, StageName="Negotiation/Review")
    user.until_quiet()
    moved = user.deal(deal["id"]) or {}
    assert deal["dealstage"] != moved["dealstage"]

    user.edit_deal(deal["id"], dealstage=deal["dealstage"])
    user.until_quiet()
    assert user.opportunity(opportunity_id)["StageName"] == "Prospecting"


def test_equal_names_are_two_pairs(user: User) -> None:
    """Rule `no-matching`."""
    opportunity_id, deal = user.synced("Twin")

    user.create_deal(
        dealname="Twin",
        pipeline=deal["pipeline"],
        dealstage=deal["dealstage"],
        closedate="2026-12-01T12:00:00Z",
    )
    user.until_quiet()

    assert len(user.opportunities_named("Twin")) == 2
    assert deal["id"] == (user.deal_of(opportunity_id) or {})["id"]
