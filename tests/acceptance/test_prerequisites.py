"""What must be right before anything is written, and what waits until it is."""

from collections.abc import Iterator

import pytest

from tests.acceptance.user import User
from tests.support.program import eventually, running

INTEGRATION = "integration@sandbox.example"
TWO = "[pipelines]\nlimit = 2\n"
THREE = "[pipelines]\nlimit = 3\n"


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """Run a program whose permissions, limits and record types an admin changes."""
    folder = tmp_path_factory.mktemp("prerequisites")
    (folder / "policy.toml").write_text(TWO, encoding="utf-8")
    options = ("--empty", "--policy", str(folder / "policy.toml"))
    with running(folder / "home", *options) as program:
        yield User(program)


def test_nothing_is_written_without_the_permission(admin: User) -> None:
    """Rule `permission`: everything waits, and goes on by itself."""
    for permission in ("ModifyAllData", "ModifyMetadata"):
        admin.act(
            "salesforce", "set_permission", user=INTEGRATION, permission=permission, value=False
        )
    admin.until_quiet()
    opportunity_id = admin.create_opportunity("Without permission")
    admin.until_quiet()
    assert admin.deal_of(opportunity_id) is None
    told = admin.call("doctor").out
    assert "Modify All Data" in told
    assert INTEGRATION in told

    admin.act(
        "salesforce", "set_permission", user=INTEGRATION, permission="ModifyAllData", value=True
    )
    assert eventually(lambda: admin.deal_of(opportunity_id), seconds=30)


def test_a_crm_that_allows_no_more_calls_is_left_alone(admin: User) -> None:
    """Rule `suspend`: one trouble, whatever waits; it goes on by itself."""
    pairs = [admin.create_opportunity(f"Throttled {number}", Amount=1) for number in range(3)]
    admin.until_quiet()
    admin.fail(
        "salesforce",
        {"kind": "throttle", "match": {"method": "PATCH", "path": "composite"}, "retry_after": 3},
    )
    for opportunity_id in pairs:
        admin.edit_deal((admin.deal_of(opportunity_id) or {})["id"], amount="2")
    told = eventually(lambda: admin.done("status")["troubles"])
    assert list(told) == ["salesforce.write"]
    assert [admin.opportunity(one)["Amount"] for one in pairs] == [1, 1, 1]

    admin.fail("salesforce")
    eventually(lambda: [admin.opportunity(one)["Amount"] for one in pairs] == [2, 2, 2], seconds=60)


def test_record_types_beyond_the_limit_do_not_sync(admin: User) -> None:
    """Rule `pipeline-limit`: one issue each, everything else goes on; nothing is deleted."""
    admin.act("salesforce", "create_record_type", name="Third")
    third = admin.record_type("Third")
    admin.until_quiet()
    admin.until_quiet()
    assert f"Salesforce - {third}" not in admin.pipelines()
    issues = admin.done("issues", "show", "DS301")["issues"]
    assert [third in one["text"] or third in one["subject"] for one in issues] == [True]

    opportunity_id = admin.create_opportunity("Beyond the limit", RecordTypeId=third)
    other, _ = admin.synced("Within the limit")
    assert admin.deal_of(opportunity_id) is None
    assert admin.deal_of(other) is not None

    admin.adopt(THREE)
    admin.until_quiet()
    admin.edit_opportunity(opportunity_id, Amount=1)
    admin.until_quiet()
    deal = admin.deal_of(opportunity_id) or {}
    assert deal["pipeline"] == admin.pipelines()[f"Salesforce - {third}"].id

    admin.adopt(TWO)
    admin.until_quiet()
    admin.edit_opportunity(opportunity_id, Amount=2)
    admin.until_quiet()
    assert admin.living(deal["id"])["amount"] == "1"
    assert f"Salesforce - {third}" in admin.pipelines()


def test_a_record_type_that_is_gone_keeps_its_pairs(admin: User) -> None:
    """Rule `record-type-gone`: new deals in its pipeline wait, with an issue."""
    renewal = admin.record_type("Renewal")
    opportunity_id, deal = admin.synced(
        "Before it went", RecordTypeId=renewal, StageName="Qualification"
    )
    admin.act("salesforce", "deactivate_record_type", id=renewal)
    admin.until_quiet()
    admin.until_quiet()

    admin.edit_deal(deal["id"], amount="5")
    waiting = admin.deal_like(deal, dealname="After it went")
    admin.until_quiet()

    assert admin.opportunity(opportunity_id)["Amount"] == 5
    assert f"Salesforce - {renewal}" in admin.pipelines()
    assert admin.opportunities_named("After it went") == []
    assert admin.issues(waiting) == ["DS302"]


def test_creates_wait_while_the_vendors_own_sync_is_at_work(admin: User) -> None:
    """Rule `other-connector`: two engines would make duplicates."""
    admin.act("hubspot", "add_connector_properties")
    _, like = admin.synced("Shows the pipeline")
    deal_id = admin.create_deal(
        dealname="Of the other one",
        pipeline="default",
        dealstage="appointmentscheduled",
        closedate="2026-12-01T12:00:00Z",
        salesforcelastsynctime="2026-11-01T10:00:00Z",
    )
    admin.until_quiet()

    admin.edit_deal(
        deal_id,
        pipeline=like["pipeline"],
        dealstage=like["dealstage"],
        salesforcelastsynctime="2026-11-01T11:00:00Z",
    )
    admin.until_quiet()
    assert admin.opportunities_named("Of the other one") == []
    assert admin.issues(deal_id) == ["DS103"]
    assert "connector" in admin.call("doctor").out

    admin.edit_deal(deal_id, amount="5")
    admin.until_quiet()
    assert len(admin.opportunities_named("Of the other one")) == 1
