"""What a value of one CRM is in the other: picklists, owners, dates, names, numbers."""

from tests.acceptance.user import User

BOTH = "priya.raman@sandbox.example"
ONLY_SALESFORCE = "owen.tremblay@sandbox.example"
ONLY_HUBSPOT = "noor.aziz@sandbox.example"
INTEGRATION = "integration@sandbox.example"


def test_a_create_takes_along_what_may_cross(user: User) -> None:
    """Rules `created-with`, `canonical`, `number-only`, `value-map`: and a day stays that day."""
    name = f"{'N' * 118} 12"
    opportunity_id, deal = user.synced(
        name[:120], Amount=1200.5, CloseDate="2026-12-24", Type="Existing Business"
    )

    assert deal["dealname"] == name[:120].strip()
    assert (deal["amount"], deal["dealtype"]) == ("1200.5", "existingbusiness")
    assert deal["closedate"].startswith("2026-12-24")
    (row,) = user.query(f"SELECT CreatedDate FROM Opportunity WHERE Id = '{opportunity_id}'")  # noqa: S608
    assert deal["createdate"][:19] == row["CreatedDate"][:19]

    user.edit_deal(deal["id"], amount="1200.50", dealname=f"  {deal['dealname']} ")
    user.edit_deal(deal["id"], closedate="2026-12-24T21:30:00Z")
    user.until_quiet()
    lines = user.audit("--id", opportunity_id, "--crm", "salesforce", "--kind", "decided")
    assert [f["field"] for one in lines for f in one["fields"]] == ["DealSync_Deal_Id__c"]


def test_a_long_name_does_not_stop_a_deal(user: User) -> None:
    """Rule `canonical`: Salesforce's names have 120 characters at most."""
    _, like = user.synced("Shows the pipeline")

    deal_id = user.deal_like(like, dealname="L" * 130)
    user.until_quiet()

    (made,) = user.opportunities_named("L" * 120)
    assert user.living(deal_id)["dealname"] == "L" * 130
    assert made["DealSync_Deal_Id__c"] == deal_id


def test_a_value_without_a_counterpart_holds_its_field_only(user: User) -> None:
    """Rule `value-map`: with an issue; options are never added."""
    opportunity_id, deal = user.synced("Odd type", Type="New Business")

    user.edit_opportunity(opportunity_id, Type="Channel", Amount=4)
    user.until_quiet()

    seen = user.living(deal["id"])
    assert (seen["dealtype"], seen["amount"]) == ("newbusiness", "4")
    assert user.issues(opportunity_id) == ["DS401"]
    user.edit_opportunity(opportunity_id, Type="Existing Business")
    user.until_quiet()
    assert user.living(deal["id"])["dealtype"] == "existingbusiness"
    assert user.issues(opportunity_id) == []


def test_owners_match_by_address_and_name(user: User) -> None:
    """Rule `owner`: without a match in HubSpot the deal keeps its own."""
    opportunity_id, deal = user.synced("Owned", OwnerId=user.user_id(BOTH))
    assert deal["hubspot_owner_id"] == user.owner_id(BOTH)

    other = "mateo.ferreira@sandbox.example"
    user.edit_deal(deal["id"], hubspot_owner_id=user.owner_id(other))
    user.until_quiet()
    assert user.opportunity(opportunity_id)["OwnerId"] == user.user_id(other)

    user.edit_deal(deal["id"], hubspot_owner_id=user.owner_id(ONLY_HUBSPOT))
    user.until_quiet()
    assert user.opportunity(opportunity_id)["OwnerId"] == user.user_id(other)
    assert user.living(deal["id"])["hubspot_owner_id"] == user.owner_id(other)

    user.edit_deal(deal["id"], hubspot_owner_id="")
    user.until_quiet()
    assert user.living(deal["id"])["hubspot_owner_id"] == user.owner_id(other)

    user.edit_opportunity(opportunity_id, OwnerId=user.user_id(ONLY_SALESFORCE))
    user.until_quiet()
    assert user.living(deal["id"])["hubspot_owner_id"] == user.owner_id(other)
    assert user.issues(opportunity_id) == ["DS402"]


def test_an_opportunity_of_nobody_is_the_integration_users(user: User) -> None:
    """Rule `owner`: and that owner never crosses back."""
    _, like = user.synced("Shows the pipeline")
    deal_id = user.deal_like(
        like, dealname="Of nobody", hubspot_owner_id=user.owner_id(ONLY_HUBSPOT)
    )
    user.until_quiet()

    (made,) = user.opportunities_named("Of nobody")
    assert made["OwnerId"] == user.user_id(INTEGRATION)
    assert user.living(deal_id)["hubspot_owner_id"] == user.owner_id(ONLY_HUBSPOT)


def test_the_close_date_stays_when_the_engine_closes_a_deal(user: User) -> None:
    """Rule `close-date-rewrite`: a rewrite by a person's closing is that person's change."""
    opportunity_id, deal = user.synced("Closed by us", CloseDate="2026-12-31")
    try:
        user.act("hubspot", "set_close_date_habit", whose="everyone")
        user.edit_opportunity(opportunity_id, StageName="Closed Won")
        user.until_quiet()
        assert user.living(deal["id"])["closedate"].startswith("2026-12-31")
        assert user.opportunity(opportunity_id)["CloseDate"] == "2026-12-31"
    finally:
        user.act("hubspot", "set_close_date_habit", whose="person")

    other, second = user.synced("Closed by a person", CloseDate="2026-12-31")
    won = user.living(deal["id"])["dealstage"]
    user.edit_deal(second["id"], dealstage=won)
    user.until_quiet()
    closed = user.opportunity(other)
    assert closed["StageName"] == "Closed Won"
    assert closed["CloseDate"] == user.living(second["id"])["closedate"][:10] != "2026-12-31"
