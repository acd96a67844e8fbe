"""Contacts of deals: who is on them, what they show of them, and which contact is which."""

from tests.acceptance.user import User


def _person(user: User, name: str) -> tuple[str, str]:
    """Create one person in both CRMs: the ids in Salesforce and HubSpot."""
    email = f"{name}@buyer.example"
    salesforce_id = user.create("Contact", LastName=name, Email=email.upper())
    return salesforce_id, user.create_contact(email=email)


def test_contacts_with_equal_addresses_cross_both_ways(user: User) -> None:
    """Rules `contact-role`, `contact-identity`, `contact-many`."""
    ada, ada_here = _person(user, "ada")
    bob, bob_here = _person(user, "bob")
    opportunity_id, deal = user.synced("With people")

    user.add_role(opportunity_id, ada, "Evaluator")
    user.add_role(opportunity_id, ada, "Influencer")
    user.associate(deal["id"], "contacts", bob_here)
    user.until_quiet()

    assert sorted(user.associated(deal["id"], "contacts")) == sorted((ada_here, bob_here))
    roles = user.roles(opportunity_id)
    assert [one["ContactId"] for one in roles] == [ada, ada, bob]
    assert (roles[-1]["Role"], roles[-1]["IsPrimary"]) == (None, False)


def test_a_role_waits_until_its_contact_is_known(user: User) -> None:
    """Rules `contact-pending`, `contact-identity`: in either direction, and by a carried id."""
    nobody_there = user.create("Contact", LastName="Late", Email="late@buyer.example")
    nobody_here = user.create_contact(email="other@buyer.example")
    opportunity_id, deal = user.synced("Waits for people")
    user.add_role(opportunity_id, nobody_there)
    user.associate(deal["id"], "contacts", nobody_here)
    user.until_quiet()
    assert user.associated(deal["id"], "contacts") == [nobody_here]
    assert user.done("status")["waiting"] != {}

    late = user.create_contact(email="late@elsewhere.example", salesforcecontactid=nobody_there)
    other = user.create("Contact", LastName="Other", Email="other@buyer.example")
    user.until_quiet()

    assert sorted(user.associated(deal["id"], "contacts")) == sorted((nobody_here, late))
    assert {one["ContactId"] for one in user.roles(opportunity_id)} == {nobody_there, other}


def test_an_address_that_two_contacts_have_is_no_link(user: User) -> None:
    """Rule `contact-identity`: never a guess."""
    twins = [user.create("Contact", LastName="Twin", Email="twin@buyer.example") for _ in "12"]
    here = user.create_contact(email="twin@buyer.example")
    opportunity_id, deal = user.synced("Ambiguous")
    user.associate(deal["id"], "contacts", here)
    user.until_quiet()

    assert user.roles(opportunity_id) == []
    (issue,) = user.done("issues", "show", f"contact:{here}")["issues"]
    assert issue["code"] == "DS203"
    assert all(twin in issue["text"] for twin in twins)


def test_a_removed_role_does_not_cross_nor_come_back(user: User) -> None:
    """Rule `contact-removal`: the article only ever adds."""
    cy, cy_here = _person(user, "cy")
    opportunity_id, deal = user.synced("Leaves")
    role = user.add_role(opportunity_id, cy)
    user.until_quiet()

    user.delete("OpportunityContactRole", role)
    user.edit_opportunity(opportunity_id, Amount=5)
    user.until_quiet()

    assert user.roles(opportunity_id) == []
    assert user.associated(deal["id"], "contacts") == [cy_here]
    assert user.living(deal["id"])["amount"] == "5"


def test_a_contact_shows_its_deals(user: User) -> None:
    """Rules `contact-rollup`, `rollup-target`, `lifecycle`: forward only, by the latest created."""
    dee, dee_here = _person(user, "dee")
    first = user.create_opportunity("First of Dee", Amount=100, CloseDate="2026-12-24")
    user.add_role(first, dee)
    user.until_quiet()
    seen = user.contact(dee_here) or {}
    assert seen["lifecyclestage"] == "opportunity"

    user.edit_opportunity(first, StageName="Closed Won")
    second = user.create_opportunity("Second of Dee", Amount=7.5, CloseDate="2026-11-30")
    user.add_role(second, dee)
    user.until_quiet()

    seen = user.contact(dee_here) or {}
    assert seen["lifecyclestage"] == "customer"
    assert seen["dealsync_associated_deals"] == "2"
    assert seen["dealsync_total_revenue"] == "100"
    assert seen["dealsync_recent_deal_amount"] == "7.5"
    assert seen["dealsync_recent_deal_close_date"].startswith("2026-11-30")
    assert seen["dealsync_first_deal_created_date"] is not None


def test_a_lead_holds_its_place_until_it_is_converted(user: User) -> None:
    """Rule `contact-pending`: a lead can hold no role."""
    lead = user.create("Lead", LastName="Lee", Company="Lee's", Email="lee@buyer.example")
    here = user.create_contact(email="lee@buyer.example")
    opportunity_id, deal = user.synced("Of a lead")
    user.associate(deal["id"], "contacts", here)
    user.until_quiet()
    assert user.roles(opportunity_id) == []

    converted = user.act("salesforce", "convert_lead", id=lead)
    user.until_quiet()

    assert [one["ContactId"] for one in user.roles(opportunity_id)] == [converted["contact"]]
