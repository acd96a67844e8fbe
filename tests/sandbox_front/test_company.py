"""The example company: believable, the same each time, made by people over the vendors' paths."""

import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from adapters.sandbox import company
from adapters.sandbox.company_desks import HubSpotDesk, SalesforceDesk
from adapters.sandbox.front import Front
from adapters.sandbox.people import SALESPEOPLE
from adapters.sandbox.server import new_fronts

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def founded() -> tuple[Front, Front]:
    fronts = new_fronts()
    for front in fronts:
        front.box.seed_basics(AT)
    company.hire(*fronts, AT)
    company.found(*fronts, AT)
    return fronts


@pytest.fixture(scope="module")
def fronts() -> tuple[Front, Front]:
    return founded()


def rows(fronts: tuple[Front, Front], soql: str) -> list[dict[str, object]]:
    desk = SalesforceDesk(fronts[0], AT)
    return [dict(row) for row in desk.query(soql, desk.sign_in("admin@sandbox.example"))]


def objects(fronts: tuple[Front, Front], kind: str, properties: str) -> list[dict[str, str]]:
    desk = HubSpotDesk(fronts[1], AT)
    found: list[dict[str, str]] = []
    after = "0"
    while after:
        page = desk.ask(
            "GET",
            f"/crm/v3/objects/{kind}?limit=100&properties={properties}&after={after}",
            token="pat-sandbox-person",  # noqa: S106 - published
        )
        read = json.loads(json.dumps(page))
        found.extend(row["properties"] for row in read["results"])
        after = read.get("paging", {}).get("next", {}).get("after", "")
    return found


def test_two_companies_of_one_seed_are_the_same(fronts: tuple[Front, Front]) -> None:
    again = founded()

    for one, other in zip(fronts, again, strict=True):
        assert one.box.tables.rows("access_log") == other.box.tables.rows("access_log")


def test_it_is_as_large_as_a_small_company(fronts: tuple[Front, Front]) -> None:
    counts = {
        name: len(rows(fronts, f"SELECT Id FROM {name}"))  # noqa: S608 - a constant
        for name in ("Account", "Contact", "Opportunity")
    }

    assert counts == {"Account": 60, "Contact": 120, "Opportunity": 200}
    assert len(objects(fronts, "deals", "dealname")) == 20
    assert 30 <= len(objects(fronts, "companies", "domain")) < 60
    assert 100 <= len(objects(fronts, "contacts", "email")) < 140


def test_contacts_meet_by_email_and_companies_by_domain(fronts: tuple[Front, Front]) -> None:
    salesforce = {row["Email"] for row in rows(fronts, "SELECT Email FROM Contact")}
    hubspot = {row["email"] for row in objects(fronts, "contacts", "email")}
    websites = {row["Website"] for row in rows(fronts, "SELECT Website FROM Account")}
    domains = {row["domain"] for row in objects(fronts, "companies", "domain")}

    assert len(salesforce & hubspot) > 80
    assert salesforce - hubspot
    assert hubspot - salesforce
    assert {f"https://www.{domain}" for domain in domains} < websites


def test_opportunities_stand_in_many_stages_of_several_record_types(
    fronts: tuple[Front, Front],
) -> None:
    found = rows(
        fronts, "SELECT StageName, RecordTypeId, IsClosed, IsWon, CloseDate FROM Opportunity"
    )
    stages = Counter(row["StageName"] for row in found)
    closed_late = [row for row in found if row["IsClosed"] and str(row["CloseDate"]) > "2026-03-02"]

    assert len({row["RecordTypeId"] for row in found}) >= 2
    assert len(stages) >= 5
    assert 40 < sum(bool(row["IsWon"]) for row in found) < 100
    assert closed_late == []


def test_about_half_have_roles_with_one_primary_each(fronts: tuple[Front, Front]) -> None:
    found = rows(fronts, "SELECT OpportunityId, IsPrimary FROM OpportunityContactRole")
    opportunities = {row["OpportunityId"] for row in found}
    primaries = Counter(row["OpportunityId"] for row in found if row["IsPrimary"])

    assert 80 < len(opportunities) < 120
    assert primaries == Counter(dict.fromkeys(opportunities, 1))


def test_salespeople_entered_their_own_records_over_half_a_year(
    fronts: tuple[Front, Front],
) -> None:
    found = rows(
        fronts, "SELECT CreatedById, OwnerId, CreatedDate, LastModifiedDate FROM Opportunity"
    )
    sellers = {row["OwnerId"] for row in found}

    assert all(row["CreatedById"] == row["OwnerId"] for row in found)
    assert len(sellers) >= 8
    assert len({str(row["CreatedDate"])[:10] for row in found}) > 8
    assert all(str(row["LastModifiedDate"]) < "2026-03-02T09:30" for row in found)


def test_owners_are_matched_by_email_and_some_are_on_one_side_only(
    fronts: tuple[Front, Front],
) -> None:
    users = {row["Email"] for row in rows(fronts, "SELECT Email FROM User WHERE IsActive = true")}
    owners = set(HubSpotDesk(fronts[1], AT).owner_ids())

    assert {one.email for one in SALESPEOPLE if one.in_salesforce} <= users
    assert {one.email for one in SALESPEOPLE if one.in_hubspot} <= owners
    assert not {one.email for one in SALESPEOPLE if not one.in_salesforce} & users
    assert not {one.email for one in SALESPEOPLE if not one.in_hubspot} & owners


def test_the_record_clocks_show_real_time_afterwards(fronts: tuple[Front, Front]) -> None:
    for front in fronts:
        assert front.box.tables.get("clock", "offset") == {"seconds": 0}
