"""Owners match by e-mail and full name, among the active (rule `owner`)."""

from domain.facts import PersonSeen, Reconsider
from domain.ids import salesforce_id
from domain.writes import CreateDeal, CreateOpportunity, UpdateDeal, UpdateOpportunity
from tests.support.scenario import (
    ADA,
    BOB,
    INTEGRATION,
    OPPORTUNITY,
    Scenario,
    at,
    hubspot_catalog,
    salesforce_catalog,
)

NAME = "Acme Renewal"
EVE = "503"


def test_the_owner_matches_by_email_in_any_case_and_full_name() -> None:
    catalog = Scenario().adopted().catalog

    assert (catalog.owner_of(ADA), catalog.user_of("501")) == ("501", ADA)


def test_equal_emails_with_another_name_do_not_match() -> None:
    owners = (PersonSeen(id="501", email="ada@x.example", name="Ada Stone", is_active=True),)
    scenario = Scenario().adopted().given(hubspot_catalog(owners=owners))

    assert scenario.catalog.owner_of(ADA) is None


def test_an_inactive_user_does_not_match() -> None:
    users = (PersonSeen(id=ADA, email="ada@x.example", name="Ada Moss", is_active=False),)
    scenario = Scenario().adopted().given(salesforce_catalog(users=users))

    assert scenario.catalog.user_of("501") is None


def test_a_deal_is_created_without_an_owner_where_nobody_matches() -> None:
    scenario = Scenario().adopted()

    scenario.when(scenario.opportunity(10, owner_id=BOB))

    (create,) = scenario.asked(CreateDeal)
    assert "hubspot_owner_id" not in {c.name for c in create.fields}
    assert {"DS402"} == scenario.issues()


def test_the_owner_follows_once_the_person_is_in_hubspot_too() -> None:
    scenario = Scenario().adopted().live(owner_id=BOB)
    assert {"DS402"} == scenario.issues()
    bob = PersonSeen(id="502", email="bob@x.example", name="Bob Reed", is_active=True)
    scenario.given(hubspot_catalog(owners=(*hubspot_catalog().owners, bob)))

    scenario.when(
        Reconsider(
            id=scenario.fact_id(),
            at=scenario.now,
            stream=scenario.pair().stream,
            because="catalog",
        )
    )

    (write,) = scenario.asked(UpdateDeal)
    assert {c.field: c.after for c in write.fields if c.guarded} == {"owner": "502"}
    assert set() == scenario.issues()


def test_an_opportunity_is_created_without_an_owner_where_nobody_matches() -> None:
    scenario = Scenario().adopted()

    scenario.when(scenario.deal(10, owner_id=EVE))

    (create,) = scenario.asked(CreateOpportunity)
    assert "OwnerId" not in {c.name for c in create.fields}


def test_an_owner_given_before_the_new_opportunity_was_read_crosses() -> None:
    scenario = Scenario().adopted()
    scenario.when(scenario.deal(10, owner_id=None))
    (create,) = scenario.asked(CreateOpportunity)
    scenario.given(scenario.done(create, 11, OPPORTUNITY))

    scenario.when(scenario.opportunity(20, name=NAME, owner_id=ADA, modified_at=at(15)))

    (write,) = scenario.asked(UpdateDeal)
    assert ("owner", "501") in {(c.field, c.after) for c in write.fields}


def test_the_integration_users_ownership_never_crosses() -> None:
    scenario = Scenario().adopted()
    scenario.when(scenario.deal(10, owner_id=None))
    (create,) = scenario.asked(CreateOpportunity)
    scenario.given(scenario.done(create, 11, OPPORTUNITY))

    scenario.when(scenario.opportunity(20, name=NAME, owner_id=INTEGRATION))

    assert "owner" not in {c.field for write in scenario.writes() for c in write.fields}


def test_the_deal_keeps_its_owner_where_salesforces_new_one_has_no_match() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.opportunity(40, name=NAME, owner_id=BOB))

    assert scenario.writes() == ()
    assert {"DS402"} == scenario.issues()


def test_an_owner_without_a_match_goes_back_to_salesforces() -> None:
    scenario = Scenario().adopted().live()
    times = {"hubspot_owner_id": 39}

    scenario.when(scenario.deal(40, owner_id=EVE, link=OPPORTUNITY, set_at=times))

    (write,) = scenario.asked(UpdateDeal)
    assert {c.field: c.after for c in write.fields if c.guarded} == {"owner": "501"}
    assert scenario.asked(UpdateOpportunity) == ()


def test_a_cleared_owner_goes_back_to_salesforces() -> None:
    scenario = Scenario().adopted().live()
    times = {"hubspot_owner_id": 39}

    scenario.when(scenario.deal(40, owner_id=None, link=OPPORTUNITY, set_at=times))

    (write,) = scenario.asked(UpdateDeal)
    assert {c.field: c.after for c in write.fields if c.guarded} == {"owner": "501"}


def test_an_id_of_nobody_matches_nobody() -> None:
    catalog = Scenario().adopted().catalog

    assert catalog.owner_of(salesforce_id("005000000000077")) is None
