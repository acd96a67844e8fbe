"""HubSpot's records become facts: every value with its own time and author, blank as None."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.hubspot import translate
from adapters.hubspot.translate import Seen
from adapters.hubspot.wire import AssociationBatch, RecordBatch, RecordRow
from domain.facts import ContactAssociation, Reading
from domain.ids import Crm, Kind, Ref
from tests.hubspot.samples import sample

AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
SEEN = Seen(app_id="4242", reason="poll", begun_at=AT)
SHOWN = ("amount", "closedate", "dealname", "dealtype", "description", "not_in_this_account")


def deal_row() -> RecordRow:
    return RecordBatch.model_validate_json(sample("deal_with_history")).results[0]


def test_a_deal_says_where_it_is_and_who_made_it() -> None:
    fact = translate.deal_observed(deal_row(), SHOWN, SEEN)

    assert fact.deal_id == "7700000001"
    assert (fact.pipeline_id, fact.stage_id) == ("550001", "880001")
    assert fact.link == "006000000000001AAA:2"
    assert fact.created_by_us
    assert fact.currency_code == "EUR"
    assert fact.owner_id == "61000001"
    assert fact.created_at == datetime(2026, 2, 1, 9, 0, 0, 250_000, tzinfo=UTC)
    assert fact.modified_at == datetime(2026, 3, 2, 8, 14, 59, 871_000, tzinfo=UTC)
    assert fact.vendor_synced_at == datetime.fromtimestamp(1_772_440_000, UTC)
    assert fact.vendor_opportunity_id is None


def test_a_value_has_the_time_and_author_of_its_newest_setting() -> None:
    readings = {one.name: one for one in translate.deal_observed(deal_row(), SHOWN, SEEN).readings}

    assert readings["amount"] == Reading(
        name="amount",
        value="1250.50",
        at=datetime(2026, 3, 2, 8, 14, 59, 871_000, tzinfo=UTC),
        by="CRM_UI userId:9100",
        ours=False,
        followed_ours=True,
        our_value="900",
    )
    assert readings["dealname"].ours, "our app's id, here as a number, marks our own value"


def test_an_edit_over_a_value_of_ours_says_so() -> None:
    row = deal_row()
    person, ours = (
        row.properties_with_history["amount"][0],
        row.properties_with_history["dealname"][0],
    )
    older = ours.model_copy(
        update={"value": "1200", "timestamp": person.timestamp - timedelta(seconds=9)}
    )
    oldest = older.model_copy(
        update={"value": "7", "timestamp": person.timestamp - timedelta(seconds=99)}
    )
    histories = {**row.properties_with_history, "amount": [oldest, person, older]}
    edited = row.model_copy(update={"properties_with_history": histories})

    amount = translate.reading(edited, "amount", SEEN.app_id)
    name = translate.reading(edited, "dealname", SEEN.app_id)

    assert (amount.ours, amount.followed_ours, amount.our_value) == (False, True, "1200")
    assert (name.ours, name.followed_ours) == (True, False)


@pytest.mark.parametrize(("source", "found"), [("CRM_UI", "1250.50"), ("CALCULATED", None)])
def test_our_value_tells_what_it_went_over(source: str, found: str | None) -> None:
    """A person's or a program's, not what HubSpot itself made of a value."""
    row = deal_row()
    ours = row.properties_with_history["dealname"][0]
    person = row.properties_with_history["amount"][0].model_copy(update={"source_type": source})
    newest = ours.model_copy(
        update={"value": "7", "timestamp": person.timestamp + timedelta(seconds=1)}
    )
    histories = {**row.properties_with_history, "amount": [person, newest]}
    edited = row.model_copy(update={"properties_with_history": histories})

    over = translate.reading(edited, "amount", SEEN.app_id).overwritten

    assert (over.value if over is not None else None) == found


def test_a_blank_text_is_none_and_an_unknown_property_has_no_reading() -> None:
    readings = {one.name: one for one in translate.deal_observed(deal_row(), SHOWN, SEEN).readings}

    assert readings["dealtype"].value is None
    assert readings["description"].value is None
    assert "not_in_this_account" not in readings


def test_stage_and_pipeline_have_one_time_and_two_authors() -> None:
    fact = translate.deal_observed(deal_row(), SHOWN, SEEN)

    assert fact.stage_at == datetime(2026, 2, 20, 10, tzinfo=UTC)
    assert fact.stage_by == "AUTOMATION_PLATFORM flow-3"
    assert not fact.stage_ours
    assert fact.pipeline_ours


def test_another_integrations_value_is_not_ours() -> None:
    owner = translate.reading(deal_row(), "hubspot_owner_id", "4242")

    assert owner.by == "INTEGRATION 777"
    assert not owner.ours


def test_without_a_source_the_first_createdate_tells_who_made_a_deal() -> None:
    row = deal_row()
    plain = {name: value for name, value in row.properties.items() if name != "hs_object_source"}
    history = {"createdate": row.properties_with_history["dealname"]}
    ours = row.model_copy(update={"properties": plain, "properties_with_history": history})

    assert translate.deal_observed(ours, SHOWN, SEEN).created_by_us
    other = Seen(app_id="1", reason="poll", begun_at=AT)
    assert not translate.deal_observed(ours, SHOWN, other).created_by_us


@pytest.mark.parametrize("reason", ["baseline", "poll"])
def test_the_same_state_come_by_again_is_the_same_fact(reason: str) -> None:
    once = Seen(app_id="4242", reason=reason, begun_at=AT)
    again = Seen(app_id="4242", reason=reason, begun_at=AT + timedelta(hours=1), cause="x")

    first = translate.deal_observed(deal_row(), SHOWN, once)

    assert translate.deal_observed(deal_row(), SHOWN, again).id == first.id


@pytest.mark.parametrize("reason", ["refresh", "webhook", "look", "import:amount", "sync_now"])
def test_a_reading_that_was_asked_for_is_a_fact_of_its_own(reason: str) -> None:
    once = Seen(app_id="4242", reason=reason, begun_at=AT)
    again = Seen(app_id="4242", reason=reason, begun_at=AT + timedelta(hours=1))

    first = translate.deal_observed(deal_row(), SHOWN, once)

    assert translate.deal_observed(deal_row(), SHOWN, again).id != first.id


def test_associations_are_a_whole_set_with_the_primary_company() -> None:
    contacts = AssociationBatch.model_validate_json(sample("associations")).results[0].to
    companies = AssociationBatch.model_validate_json(sample("companies_of_deal")).results[0].to

    fact = translate.associations_observed("7700000001", contacts, companies, SEEN, AT)

    assert fact.contacts == (
        ContactAssociation(contact_id="7100000001", labelled=False),
        ContactAssociation(contact_id="7100000002", labelled=True),
    )
    assert fact.company_id == "7200000002"


def test_a_set_that_comes_back_is_another_fact() -> None:
    later = Seen(app_id="4242", reason="poll", begun_at=AT + timedelta(minutes=1))

    first = translate.associations_observed("1", (), (), SEEN, AT)

    assert translate.associations_observed("1", (), (), later, later.begun_at).id != first.id


def row(**properties: str) -> RecordRow:
    stamp = "2026-03-01T10:00:00Z"
    body = {"id": 5, "properties": properties, "createdAt": stamp, "updatedAt": stamp}
    return RecordRow.model_validate(body)


def test_a_contact_carries_its_counterpart_and_our_mirror() -> None:
    fact = translate.contact_observed(
        row(
            email=" Ada@Example.com",
            salesforcecontactid="003x",
            lifecyclestage="lead",
            dealsync_total_revenue="10",
        ),
        SEEN,
    )

    assert fact.contact_id == "5"
    assert fact.salesforce_contact_id == "003x"
    assert fact.lifecycle_stage == "lead"
    assert {one.name: one.value for one in fact.readings} == {
        "lifecyclestage": "lead",
        "dealsync_total_revenue": "10",
    }


@pytest.mark.parametrize(
    ("properties", "account"),
    [
        ({"salesforceaccountid": "001v", "dealsync_account_id": "001o"}, "001v"),
        ({"salesforceaccountid": "", "dealsync_account_id": "001o"}, "001o"),
        ({}, None),
    ],
)
def test_a_company_carries_the_vendors_account_else_ours(
    properties: dict[str, str], account: str | None
) -> None:
    fact = translate.company_observed(row(domain="WWW.Acme.example ", **properties), SEEN)

    assert fact.salesforce_account_id == account
    assert fact.domain == "acme.example"


def test_a_survivor_names_those_merged_into_it() -> None:
    assert translate.merged_ids(deal_row()) == {"7700000008", "7700000009"}


def test_a_deletion_has_the_time_of_the_deletion() -> None:
    asked = Ref(Crm.HUBSPOT, Kind.DEAL, "9")

    fact = translate.record_deleted(asked, AT - timedelta(days=1), SEEN)

    assert (fact.at, fact.read_begun_at) == (AT - timedelta(days=1), AT)
