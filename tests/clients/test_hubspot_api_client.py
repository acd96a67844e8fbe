"""HubSpot's own Python client against the sandbox, over a socket and otherwise unchanged."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hubspot import HubSpot  # type: ignore[import-untyped]  # the vendor ships no types
from hubspot.crm import (  # type: ignore[import-untyped]  # the vendor ships no types
    companies,
    contacts,
    deals,
    pipelines,
    properties,
)
from hubspot.crm.associations import v4  # type: ignore[import-untyped]  # the same

from adapters.sandbox.hubspot.box import HubSpotSandbox
from tests.support.http_box import served

TOKEN = "pat-client-test"  # noqa: S105 - any such text is a token of the sandbox
BORN = datetime(2024, 5, 1, 9, tzinfo=UTC)


class Account:
    """A sandbox account and the client that speaks to it."""

    def __init__(self, box: HubSpotSandbox, url: str) -> None:
        self.box = box
        self.client = HubSpot(access_token=TOKEN, host=url)

    def contact(self, email: str) -> str:
        made = self.client.crm.contacts.basic_api.create(
            contacts.SimplePublicObjectInputForCreate(properties={"email": email}, associations=[])
        )
        return str(made.id)

    def company(self, name: str) -> str:
        made = self.client.crm.companies.basic_api.create(
            companies.SimplePublicObjectInputForCreate(properties={"name": name}, associations=[])
        )
        return str(made.id)

    def deal(self, **values: str) -> str:
        given = {"dealname": "A deal", "dealstage": "qualifiedtobuy", **values}
        made = self.client.crm.deals.basic_api.create(
            deals.SimplePublicObjectInputForCreate(properties=given, associations=[])
        )
        return str(made.id)


@pytest.fixture
def account() -> Iterator[Account]:
    box = HubSpotSandbox()
    box.seed_basics(BORN)
    with served(box) as url:
        yield Account(box, url)


def test_a_deal_is_created_read_changed_and_archived(account: Account) -> None:
    api = account.client.crm.deals.basic_api
    deal_id = account.deal(amount="12500.50")
    api.update(deal_id, deals.SimplePublicObjectInput(properties={"dealname": "Renamed"}))
    read = api.get_by_id(
        deal_id, properties=["dealname", "amount"], properties_with_history=["dealname"]
    )

    assert read.properties["dealname"] == "Renamed"
    assert read.properties["amount"] == "12500.50"
    history = read.properties_with_history["dealname"]
    assert [one.value for one in history] == ["Renamed", "A deal"]
    assert history[0].source_type == "INTEGRATION"

    api.archive(deal_id)
    with pytest.raises(deals.ApiException) as gone:
        api.get_by_id(deal_id)
    assert gone.value.status == 404
    assert api.get_by_id(deal_id, archived=True).archived is True


def test_pages_of_a_list_follow_each_other(account: Account) -> None:
    made = [account.deal(dealname=f"Deal {number}") for number in range(5)]
    api = account.client.crm.deals.basic_api
    first = api.get_page(limit=3)
    second = api.get_page(limit=3, after=first.paging.next.after)

    assert [one.id for one in (*first.results, *second.results)] == made
    assert second.paging is None


def test_a_search_finds_by_filter_in_order(account: Account) -> None:
    for amount in ("300", "100", "200"):
        account.deal(amount=amount)
    found = account.client.crm.deals.search_api.do_search(
        deals.PublicObjectSearchRequest(
            filter_groups=[
                {"filters": [{"propertyName": "amount", "operator": "GTE", "value": "200"}]}
            ],
            sorts=[{"propertyName": "amount", "direction": "ASCENDING"}],
            properties=["amount", "description"],
            limit=10,
        )
    )

    assert found.total == 2
    assert [one.properties["amount"] for one in found.results] == ["200", "300"]
    assert found.results[0].properties["description"] is None


def test_a_batch_fails_in_part_and_says_which_by_trace_id(account: Account) -> None:
    account.contact("ada@example.com")
    answered = account.client.crm.contacts.batch_api.create(
        contacts.BatchInputSimplePublicObjectBatchInputForCreate(
            inputs=[
                contacts.SimplePublicObjectBatchInputForCreate(
                    properties={"email": email}, associations=[], object_write_trace_id=trace
                )
                for trace, email in (
                    ("a", "Ada@Example.com"),
                    ("b", "bob@example.com"),
                    ("c", "cy@example.com"),
                )
            ]
        )
    )

    assert answered.num_errors == 1
    assert answered.errors[0].category == "CONFLICT"
    assert answered.errors[0].context["objectWriteTraceId"] == ["a"]
    # in another order than they were sent
    assert [one.object_write_trace_id for one in answered.results] == ["c", "b"]


def test_a_batch_reads_updates_upserts_and_archives(account: Account) -> None:
    api = account.client.crm.contacts.batch_api
    ada = account.contact("ada@example.com")
    upserted = api.upsert(
        contacts.BatchInputSimplePublicObjectBatchInputUpsert(
            inputs=[
                contacts.SimplePublicObjectBatchInputUpsert(
                    id=email, id_property="email", properties={"firstname": name}
                )
                for email, name in (("ada@example.com", "Ada"), ("bob@example.com", "Bob"))
            ]
        )
    )
    bob = upserted.results[1].id
    assert [one.new for one in upserted.results] == [False, True]

    api.update(
        contacts.BatchInputSimplePublicObjectBatchInput(
            inputs=[
                contacts.SimplePublicObjectBatchInput(id=ada, properties={"lastname": "Lovelace"})
            ]
        )
    )
    api.archive(contacts.BatchInputSimplePublicObjectId(inputs=[{"id": bob}]))
    read = api.read(
        contacts.BatchReadInputSimplePublicObjectId(
            inputs=[{"id": ada}, {"id": bob}], properties=["lastname"], properties_with_history=[]
        )
    )
    assert [one.properties["lastname"] for one in read.results] == ["Lovelace"]
    assert read.errors[0].context["ids"] == [bob]


def test_associations_are_made_listed_and_removed(account: Account) -> None:
    deal_id, contact_id = account.deal(), account.contact("ada@example.com")
    company_id = account.company("Analytical Engines")
    api = account.client.crm.associations.v4
    api.basic_api.create_default("deals", deal_id, "contacts", contact_id)
    primary = [v4.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=5)]
    api.basic_api.create("deals", deal_id, "companies", company_id, primary)

    listed = api.basic_api.get_page("deals", deal_id, "companies")
    types = listed.results[0].association_types
    assert str(listed.results[0].to_object_id) == company_id
    assert {one.type_id for one in types} == {5, 341}
    assert {one.label for one in types} == {"Primary", None}

    many = api.batch_api.get_page(
        "contacts",
        "deals",
        v4.BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": contact_id}]),
    )
    assert str(many.results[0].to[0].to_object_id) == deal_id

    api.basic_api.archive("deals", deal_id, "contacts", contact_id)
    assert api.basic_api.get_page("deals", deal_id, "contacts").results == []


def test_a_read_shows_associations(account: Account) -> None:
    deal_id, contact_id = account.deal(), account.contact("ada@example.com")
    api = account.client.crm
    api.associations.v4.basic_api.create_default("deals", deal_id, "contacts", contact_id)
    read = api.deals.basic_api.get_by_id(deal_id, associations=["contacts"])

    linked = read.associations["contacts"].results
    assert [(one.id, one.type) for one in linked] == [(contact_id, "deal_to_contact")]


def test_merged_deals_are_found_by_all_their_ids(account: Account) -> None:
    kept, other = account.deal(dealname="Kept"), account.deal(dealname="Other", amount="5")
    api = account.client.crm.deals
    merged = api.basic_api.merge(
        deals.PublicMergeInput(primary_object_id=kept, object_id_to_merge=other)
    )

    assert merged.properties["dealname"] == "Kept"
    assert merged.properties["amount"] == "5"
    assert {api.basic_api.get_by_id(one).id for one in (kept, other)} == {merged.id}


def test_pipelines_and_stages_are_made_and_labels_are_unique(account: Account) -> None:
    api = account.client.crm.pipelines
    stage = {"label": "Open", "displayOrder": 0, "metadata": {"probability": "0.3"}}
    made = api.pipelines_api.create(
        "deals", pipelines.PipelineInput(label="Salesforce - 012", display_order=1, stages=[stage])
    )
    won = api.pipeline_stages_api.create(
        "deals",
        made.id,
        pipelines.PipelineStageInput(label="Won", display_order=1, metadata={"probability": "1.0"}),
    )
    assert won.metadata == {"isClosed": "true", "probability": "1.0"}

    all_of_them = api.pipelines_api.get_all("deals").results
    assert [one.label for one in all_of_them] == ["Sales Pipeline", "Salesforce - 012"]
    assert [one.label for one in all_of_them[1].stages] == ["Open", "Won"]
    with pytest.raises(pipelines.ApiException) as taken:
        api.pipelines_api.create(
            "deals",
            pipelines.PipelineInput(label="salesforce - 012", display_order=2, stages=[stage]),
        )
    assert taken.value.status == 409


def test_a_property_is_made_and_used(account: Account) -> None:
    api = account.client.crm.properties
    api.groups_api.create("deals", properties.PropertyGroupCreate(name="sync", label="Sync"))
    api.core_api.create(
        "deals",
        properties.PropertyCreate(
            name="sync_key",
            label="Key",
            type="string",
            field_type="text",
            group_name="sync",
            has_unique_value=True,
        ),
    )
    deal_id = account.deal(sync_key="006A")
    found = account.client.crm.deals.basic_api.get_by_id("006A", id_property="sync_key")

    assert found.id == deal_id
    assert api.core_api.get_by_name("deals", "sync_key").has_unique_value is True
    read_only = api.core_api.get_by_name("deals", "hs_object_id").modification_metadata
    assert read_only.read_only_value is True


def test_owners_are_listed_by_email(account: Account) -> None:
    account.box.act(
        "add_owner",
        {"email": "grace@example.com", "firstName": "Grace", "lastName": "Hopper"},
        BORN,
    )
    found = account.client.crm.owners.owners_api.get_page(email="grace@example.com")
    assert [(one.first_name, one.last_name) for one in found.results] == [("Grace", "Hopper")]
    assert found.results[0].archived is False


def test_a_taken_email_is_a_conflict(account: Account) -> None:
    account.contact("ada@example.com")
    with pytest.raises(contacts.ApiException) as taken:
        account.contact("ADA@example.com")
    assert taken.value.status == 409
    assert "Contact already exists" in taken.value.body


def test_a_used_up_limit_is_raised(account: Account) -> None:
    account.box.set_rate_limit({"burst": 1})
    account.deal()
    with pytest.raises(deals.ApiException) as throttled:
        account.deal()
    assert throttled.value.status == 429
    assert "TEN_SECONDLY_ROLLING" in throttled.value.body
    assert throttled.value.headers["X-HubSpot-RateLimit-Remaining"] == "0"


def test_an_unknown_token_is_refused(account: Account) -> None:
    account.client.access_token = TOKEN.removeprefix("pat-")
    with pytest.raises(deals.ApiException) as refused:
        account.client.crm.deals.basic_api.get_page()
    assert refused.value.status == 401
