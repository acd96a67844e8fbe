"""What HubSpot sets by itself: close dates, pipelines, lifecycle stages, roll-ups."""

import pytest

from adapters.sandbox.tables import JsonValue
from tests.sandbox_hubspot.account import ENGINE, PERSON, Account, body_of, codes


def test_a_new_deal_gets_a_pipeline_and_closes_at_the_end_of_the_month() -> None:
    account = Account()
    values = account.values("deals", account.make("deals"), "pipeline", "closedate")
    assert (values["pipeline"], values["closedate"]) == ("default", "2024-05-31T09:00:01Z")


def test_the_month_is_that_of_the_account() -> None:
    account = Account()
    account.box.act("set_account", {"timeZone": "Pacific/Kiritimati"}, account.at)
    account.at = account.at.replace(month=4, day=30, hour=20)
    deal_id = account.make("deals")
    # where it is already the first of May
    assert account.values("deals", deal_id, "closedate")["closedate"] == "2024-05-30T20:00:01Z"


@pytest.mark.parametrize(
    ("before", "after", "who", "is_rewritten"),
    [
        ("qualifiedtobuy", "closedwon", PERSON, True),
        ("qualifiedtobuy", "closedlost", PERSON, True),
        ("closedlost", "closedwon", PERSON, True),
        ("closedwon", "closedlost", PERSON, True),
        ("closedwon", "closedwon", PERSON, False),
        ("closedwon", "qualifiedtobuy", PERSON, False),
        ("qualifiedtobuy", "closedwon", ENGINE, False),
    ],
)
def test_a_person_who_closes_a_deal_rewrites_its_close_date(
    before: str, after: str, who: str, *, is_rewritten: bool
) -> None:
    account = Account()
    deal_id = account.make("deals", dealstage=before, closedate="2024-01-01T00:00:00Z")
    account.change("deals", deal_id, who, dealstage=after)
    values = account.values("deals", deal_id, "closedate")
    expected = "2024-05-01T09:00:02Z" if is_rewritten else "2024-01-01T00:00:00Z"
    assert values["closedate"] == expected


def test_a_close_date_given_by_the_person_stays() -> None:
    account = Account()
    deal_id = account.make("deals")
    account.change("deals", deal_id, PERSON, dealstage="closedwon", closedate="2024-02-03")
    assert account.values("deals", deal_id, "closedate")["closedate"] == "2024-02-03T00:00:00Z"


def test_the_account_can_rewrite_what_an_app_sends() -> None:
    account = Account()
    account.box.act("set_close_date_habit", {"whose": "everyone"}, account.at)
    deal_id = account.make("deals")
    account.change("deals", deal_id, dealstage="closedwon", closedate="2024-02-03")
    assert account.values("deals", deal_id, "closedate")["closedate"] == "2024-05-01T09:00:02Z"
    assert account.history("deals", deal_id, "closedate")[0]["sourceType"] == "CALCULATED"


def test_a_stage_belongs_to_its_pipeline() -> None:
    account = Account()
    stages: JsonValue = [{"label": "Open", "stageId": "open9", "metadata": {"probability": "0.1"}}]
    made = account.ask(
        "POST", "/crm/v3/pipelines/deals", {"label": "P", "displayOrder": 1, "stages": stages}
    )
    deal_id = account.make("deals")
    alone = account.change("deals", deal_id, dealstage="open9")
    moved = account.change("deals", deal_id, dealstage="open9", pipeline=made["id"])

    assert codes(body_of(alone.response)) == ["INVALID_OPTION"]
    assert moved.response.status == 200
    values = account.values("deals", deal_id, "hs_deal_stage_probability", "hs_is_closed")
    assert (values["hs_deal_stage_probability"], values["hs_is_closed"]) == ("0.1", "false")


def test_a_lifecycle_stage_goes_back_only_by_a_person_or_when_emptied() -> None:
    account = Account()
    contact_id = account.make("contacts", lifecyclestage="customer")

    def stage() -> object:
        return account.values("contacts", contact_id, "lifecyclestage")["lifecyclestage"]

    ignored = account.change("contacts", contact_id, lifecyclestage="lead")
    assert (ignored.response.status, ignored.changed, stage()) == (200, False, "customer")
    account.change("contacts", contact_id, lifecyclestage="")
    account.change("contacts", contact_id, lifecyclestage="lead")
    assert stage() == "lead"
    account.change("contacts", contact_id, lifecyclestage="opportunity")
    account.change("contacts", contact_id, PERSON, lifecyclestage="subscriber")
    assert stage() == "subscriber"


def test_a_contact_sums_up_its_deals_as_hubspot_defines_it() -> None:
    account = Account()
    contact_id = account.make("contacts")
    for amount, stage, closed in (
        ("100", "closedwon", "2024-02-01"),
        ("250.50", "closedwon", "2024-03-01"),
        ("999", "qualifiedtobuy", "2024-06-01"),
    ):
        deal_id = account.make("deals", amount=amount, dealstage=stage, closedate=closed)
        path = f"/crm/v4/objects/deals/{deal_id}/associations/default/contacts/{contact_id}"
        account.send("PUT", path)
    values = account.values(
        "contacts",
        contact_id,
        "num_associated_deals",
        "total_revenue",
        "recent_deal_amount",
        "recent_deal_close_date",
        "first_deal_created_date",
    )

    assert values["num_associated_deals"] == "3"
    assert values["total_revenue"] == "350.50"
    assert values["recent_deal_amount"] == "250.50"
    assert values["recent_deal_close_date"] == "2024-03-01T00:00:00Z"
    assert values["first_deal_created_date"] == "2024-05-01T09:00:02Z"
    refused = account.change("contacts", contact_id, total_revenue="1")
    assert codes(body_of(refused.response)) == ["READ_ONLY_VALUE"]
