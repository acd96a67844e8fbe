"""The state is all in the tables: a restart loses nothing, a reset leaves nothing."""

import json
from datetime import timedelta
from typing import Any

from adapters.http_transport import HttpRequest
from adapters.sandbox import record_clock
from adapters.sandbox.salesforce.box import SalesforceSandbox
from tests.sandbox_salesforce.org import BASE, DEAL_ID, DEAL_ID_FIELD, OPPORTUNITY, SalesforceOrg


def restarted(org: SalesforceOrg) -> None:
    """Put a new box in place of the org's, with its state gone through text."""
    saved = [
        (table, key, json.loads(json.dumps(row)))
        for table, key, row in org.box.tables.take_dirty()
        if row is not None
    ]
    org.box = SalesforceSandbox()
    org.box.tables.load(iter(saved))


def test_a_restart_loses_nothing(org: SalesforceOrg) -> None:
    org.add_field(DEAL_ID, DEAL_ID_FIELD)
    account = org.create("Account", Name="A")
    record_id = org.opportunity(AccountId=account, **{DEAL_ID: "7"})
    before = org.read("Opportunity", record_id)

    restarted(org)

    assert org.read("Opportunity", record_id) == before
    assert org.done("GET", f"sobjects/Opportunity/{DEAL_ID}/7")["Id"] == record_id
    assert org.opportunity() > record_id
    assert org.refused("POST", "sobjects/Opportunity", {**OPPORTUNITY, DEAL_ID: "7"})[1] == (
        "DUPLICATE_VALUE"
    )


def test_a_page_can_be_fetched_after_a_restart(org: SalesforceOrg) -> None:
    records: list[dict[str, Any]] = [
        {"attributes": {"type": "Account"}, "Name": f"A{number}"} for number in range(150)
    ]
    for _ in range(2):
        org.done("POST", "composite/sobjects", {"records": records})
    _, page = org.ask("GET", "query?q=SELECT+Id+FROM+Account", Sforce_Query_Options="batchSize=200")

    restarted(org)

    rest = org.done("GET", page["nextRecordsUrl"].split("v62.0/")[1])
    assert (len(rest["records"]), rest["done"]) == (100, True)


def test_a_reset_leaves_nothing(org: SalesforceOrg) -> None:
    org.add_field(DEAL_ID, DEAL_ID_FIELD)
    org.opportunity(**{DEAL_ID: "7"})

    org.box.tables.clear()
    org.box.seed_basics(org.at)

    assert org.ask("GET", "limits")[0] == 401
    org.token = org.sign_in("admin@sandbox.example")
    assert org.query("SELECT Id FROM Opportunity") == []
    assert org.query_refused("SELECT DealSync_Deal_Id__c FROM Opportunity")[0] == "INVALID_FIELD"


def test_the_same_requests_give_the_same_state() -> None:
    first, second = SalesforceOrg(), SalesforceOrg()
    for org in (first, second):
        org.opportunity()

    assert first.box.tables.take_dirty() == second.box.tables.take_dirty()


def test_the_record_clock_moves_records_alone(org: SalesforceOrg) -> None:
    record_clock.set_offset(org.box.tables, -timedelta(days=2).total_seconds())

    row = org.read("Opportunity", org.opportunity())

    assert row["CreatedDate"] == "2026-01-03T12:00:00.000+0000"
    org.token = org.sign_in("admin@sandbox.example")
    org.done("GET", "limits")


def test_a_request_of_any_shape_is_answered(org: SalesforceOrg) -> None:
    """Nothing that a stranger sends makes the box fail."""
    header = (("Authorization", f"Bearer {org.token}"),)
    for path in (
        "",
        "/",
        "/services/data/vX/",
        "/services/data/v62.0/query",
        "/services/data/v62.0/query?q=%00",
        "/services/data/v62.0/sobjects/Opportunity/a/b/c/d",
        "/services/data/v62.0/sobjects/%F0%9F%98%80/x",
        "/services/oauth2/none",
    ):
        for method in ("GET", "POST", "PATCH", "DELETE", "HEAD"):
            request = HttpRequest(method, f"{BASE}{path}", header, b"\xff{")
            assert org.box.answer(request, org.at).response.status >= 200
