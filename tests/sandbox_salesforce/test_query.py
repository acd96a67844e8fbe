"""SOQL: what it finds, in which order, page by page, and how it complains."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox_salesforce.org import OPPORTUNITY, SalesforceOrg

FIELDS: dict[str, dict[str, Any]] = {
    "Picks__c": {
        "type": "MultiselectPicklist",
        "label": "Picks",
        "valueSet": {
            "restricted": True,
            "valueSetDefinition": {"value": [{"fullName": each} for each in ("A", "B", "C")]},
        },
    },
    "When__c": {"type": "DateTime", "label": "When"},
}


@pytest.fixture
def books(org: SalesforceOrg) -> SalesforceOrg:
    """Return an org with four opportunities of two accounts."""
    acme = org.create("Account", Name="Acme")
    zeta = org.create("Account", Name="zeta")
    org.opportunity(Name="alpha", Amount=10, AccountId=acme, CloseDate="2026-01-04")
    org.opportunity(Name="Beta", Amount=20, AccountId=zeta, CloseDate="2026-01-05")
    org.later()
    org.opportunity(Name="gamma%", Amount=None, AccountId=acme, StageName="Closed Won")
    org.opportunity(Name="O'Delta\\", Amount=30)
    return org


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Name = 'ALPHA'", ["alpha"]),
        ("Name != 'alpha'", ["Beta", "gamma%", "O'Delta\\"]),
        ("Amount > 10", ["Beta", "O'Delta\\"]),
        ("Amount <= 20.0", ["alpha", "Beta"]),
        ("Amount = null", ["gamma%"]),
        ("Amount != null AND Amount < 15", ["alpha"]),
        ("Amount != 10", ["Beta", "gamma%", "O'Delta\\"]),
        ("Name LIKE '%A'", ["alpha", "Beta"]),
        ("Name LIKE '_eta'", ["Beta"]),
        (r"Name LIKE '%\%'", ["gamma%"]),
        (r"Name = 'O\'Delta\\'", ["O'Delta\\"]),
        ("Name IN ('alpha', 'BETA')", ["alpha", "Beta"]),
        ("Name NOT IN ('alpha', 'BETA')", ["gamma%", "O'Delta\\"]),
        ("Account.Name = 'Acme'", ["alpha", "gamma%"]),
        ("Account.Name != 'Acme'", ["Beta", "O'Delta\\"]),
        ("AccountId = null", ["O'Delta\\"]),
        ("NOT Name LIKE '%a%'", []),
        ("(Name = 'alpha' OR Name = 'Beta') AND Amount > 10", ["Beta"]),
        ("NOT (Name = 'alpha' OR Name = 'Beta')", ["gamma%", "O'Delta\\"]),
        ("IsWon = TRUE", ["gamma%"]),
        ("CloseDate = TODAY", ["Beta"]),
        ("CloseDate < TODAY", ["alpha"]),
        ("CloseDate = LAST_N_DAYS:2", ["alpha", "Beta"]),
        ("CloseDate > NEXT_MONTH", ["gamma%", "O'Delta\\"]),
        ("CloseDate >= 2026-01-05 AND CloseDate < 2026-02-01", ["Beta"]),
        ("CreatedDate = TODAY", ["alpha", "Beta", "gamma%", "O'Delta\\"]),
        ("SystemModstamp > 2026-01-05T12:00:00Z", ["gamma%", "O'Delta\\"]),
        ("SystemModstamp >= 2026-01-05T13:00:01+01:00", ["gamma%", "O'Delta\\"]),
        ("StageName IN ('Closed Won')", ["gamma%"]),
        ("Id IN (SELECT OpportunityId FROM OpportunityContactRole)", []),
        ("AccountId IN (SELECT Id FROM Account WHERE Name LIKE 'z%')", ["Beta"]),
        ("AccountId NOT IN (SELECT Id FROM Account WHERE Name LIKE 'z%') AND Amount=10", ["alpha"]),
    ],
)
def test_where(books: SalesforceOrg, where: str, names: list[str]) -> None:
    assert books.values(f"SELECT Name FROM Opportunity WHERE {where} ORDER BY Id") == names  # noqa: S608


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("Name", ["alpha", "Beta", "gamma%", "O'Delta\\"]),
        ("Amount", ["gamma%", "alpha", "Beta", "O'Delta\\"]),
        ("Amount DESC NULLS LAST", ["O'Delta\\", "Beta", "alpha", "gamma%"]),
        ("Amount ASC NULLS LAST, Name", ["alpha", "Beta", "O'Delta\\", "gamma%"]),
        ("Account.Name DESC NULLS LAST, Name DESC", ["Beta", "gamma%", "alpha", "O'Delta\\"]),
        ("SystemModstamp DESC, Id LIMIT 2", ["gamma%", "O'Delta\\"]),
        ("Id LIMIT 2 OFFSET 1", ["Beta", "gamma%"]),
    ],
)
def test_order(books: SalesforceOrg, order: str, names: list[str]) -> None:
    assert books.values(f"SELECT Name FROM Opportunity ORDER BY {order}") == names  # noqa: S608


def test_parents_and_children(books: SalesforceOrg) -> None:
    (row,) = books.query(
        "SELECT Id, Account.Name, Account.Owner.Email FROM Opportunity WHERE Name = 'alpha'"
    )
    (acme,) = books.query(
        "SELECT Name, (SELECT Name FROM Opportunities ORDER BY Name DESC), (SELECT Id FROM"
        " Contacts) FROM Account WHERE Name = 'Acme'"
    )

    assert row["Account"]["Name"] == "Acme"
    assert row["Account"]["attributes"]["type"] == "Account"
    assert row["Account"]["Owner"]["Email"] == "admin@sandbox.example"
    assert [each["Name"] for each in acme["Opportunities"]["records"]] == ["gamma%", "alpha"]
    assert acme["Contacts"] is None


def test_a_missing_parent_is_null(books: SalesforceOrg) -> None:
    assert books.values("SELECT Account.Name FROM Opportunity WHERE AccountId = null") == [None]


def test_counts_and_groups(books: SalesforceOrg) -> None:
    counted = books.done("GET", "query?q=SELECT+COUNT()+FROM+Opportunity")
    (total,) = books.query("SELECT COUNT(Amount) n, SUM(Amount), MAX(Amount) FROM Opportunity")
    groups = books.query("SELECT StageName, COUNT(Id) FROM Opportunity GROUP BY StageName")

    assert counted == {"totalSize": 4, "done": True, "records": []}
    assert (total["n"], total["expr0"], total["expr1"]) == (3, 60.0, 30.0)
    assert [(each["StageName"], each["expr0"]) for each in groups] == [
        ("Qualification", 3),
        ("Closed Won", 1),
    ]


def test_all_fields_need_a_small_limit(books: SalesforceOrg) -> None:
    (row,) = books.query("SELECT FIELDS(ALL) FROM Opportunity LIMIT 1")

    assert set(row) == set(books.read("Opportunity", row["Id"]))
    assert books.query_refused("SELECT FIELDS(ALL) FROM Opportunity")[0] == "MALFORMED_QUERY"


@pytest.mark.parametrize(
    ("soql", "code", "says"),
    [
        ("SELECT Id FROM Opportunity WHERE Id = '1' AND Name = '2' OR Name = '3'",
         "MALFORMED_QUERY", "unexpected token: 'OR'"),
        ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT FROM Opportunity", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT Id FROM Opportunity WHERE Name = foo", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Opportunity WHERE Name = @s0", "MALFORMED_QUERY", "'@'"),
        ("SELECT Id FROM Opportunity WHERE Name = 'a', 'b'", "MALFORMED_QUERY", "','"),
        ("SELECT Foo FROM Opportunity", "INVALID_FIELD", "Row:1:Column:8\nNo such column 'Foo' on"),
        ("SELECT Id FROM Opportunity WHERE\nFoo = 1", "INVALID_FIELD", "Row:2:Column:1"),
        ("SELECT Foo.Name FROM Opportunity", "INVALID_FIELD", "relationship 'Foo'"),
        ("SELECT Id FROM Opportunty", "INVALID_TYPE", "sObject type 'Opportunty' is not supported"),
        ("SELECT Id FROM Opportunity WHERE Amount = '5'", "INVALID_FIELD", "enclosed in quotes"),
        ("SELECT Id FROM Opportunity WHERE Name = 5", "INVALID_FIELD", "must be of type string"),
        ("SELECT Id FROM Opportunity WHERE CloseDate = 2026-01-01T00:00:00Z",
         "INVALID_FIELD", "must be of type date"),
        ("SELECT Id FROM Opportunity WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "dateTime"),
        ("SELECT Id FROM Opportunity WHERE AccountId = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "x"),
        ("SELECT Id FROM Opportunity WHERE Amount LIKE '5%'", "INVALID_QUERY_FILTER_OPERATOR", ""),
        ("SELECT Id FROM Opportunity WHERE Description = 'x'", "INVALID_FIELD", "filtered"),
        ("SELECT Id FROM Opportunity ORDER BY Description", "INVALID_FIELD", "sorted"),
        ("SELECT Id, Id FROM Opportunity", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id FROM Opportunity LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT Name, COUNT(Id) FROM Opportunity", "MALFORMED_QUERY", "grouped or aggregated"),
        ("SELECT TOTAL(Id) FROM Opportunity", "MALFORMED_QUERY", "TOTAL"),
        ("SELECT Id FROM Opportunity WHERE CloseDate > NEXT_N_YEARS:99999", "INVALID_FIELD", ""),
        ("SELECT Id FROM Opportunity WHERE CloseDate = 2026-13-01", "INVALID_FIELD", "date"),
        ("SELECT Id FROM Opportunity WHERE Name = TODAY", "INVALID_FIELD", "type string"),
        ("SELECT Id FROM CustomField", "INVALID_TYPE", "CustomField"),
    ],
)  # fmt: skip
def test_complaints(org: SalesforceOrg, soql: str, code: str, says: str) -> None:
    found, message = org.query_refused(soql)

    assert found == code
    assert says in message


def test_multipicklists_and_instants(org: SalesforceOrg) -> None:
    for name, metadata in FIELDS.items():
        org.add_field(name, metadata)
    org.opportunity(Name="one", Picks__c="C; A", When__c="2026-02-01T10:00:00.123+02:00")
    org.opportunity(Name="two", Picks__c="B")

    (row,) = org.query("SELECT Picks__c, When__c FROM Opportunity WHERE Name = 'one'")
    assert row["Picks__c"] == "A;C"
    assert row["When__c"] == "2026-02-01T08:00:00.000+0000"
    for where, names in (
        ("Picks__c INCLUDES ('A;C', 'B')", ["one", "two"]),
        ("Picks__c INCLUDES ('A;B')", []),
        ("Picks__c EXCLUDES ('A')", ["two"]),
        ("When__c = 2026-02-01T08:00:00Z", ["one"]),
    ):
        assert org.values(f"SELECT Name FROM Opportunity WHERE {where}") == names  # noqa: S608
    refused = org.refused("POST", "sobjects/Opportunity", {**OPPORTUNITY, "Picks__c": "A;D"})
    assert refused[1:] == ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Picks__c"])


def test_paging_shows_every_record_once(org: SalesforceOrg) -> None:
    for start in range(0, 450, 150):
        records = [
            {"attributes": {"type": "Account"}, "Name": f"A{number}"}
            for number in range(start, start + 150)
        ]
        org.done("POST", "composite/sobjects", {"records": records})
    soql = quote("SELECT Id FROM Account ORDER BY Name DESC")
    status, page = org.ask("GET", f"query?q={soql}", Sforce_Query_Options="batchSize=200")
    pages = [page]
    while not pages[-1]["done"]:
        pages.append(org.done("GET", pages[-1]["nextRecordsUrl"].split("v62.0/")[1]))

    assert status == 200
    assert [len(page["records"]) for page in pages] == [200, 200, 50]
    assert len({row["Id"] for page in pages for row in page["records"]}) == 450
    assert {page["totalSize"] for page in pages} == {450}
    assert org.refused("GET", "query/01gNothing-200")[1] == "INVALID_QUERY_LOCATOR"


def test_a_change_is_found_by_its_stamp_whatever_the_clock_did(org: SalesforceOrg) -> None:
    first = org.opportunity()
    org.later(-3600)
    second = org.opportunity()
    org.later(7200)
    org.change("Opportunity", first, Name="again")
    org.change("Opportunity", first, Name="and again")

    since = "SELECT Id FROM Opportunity WHERE SystemModstamp >= "
    assert org.values(since + "2026-01-05T11:00:00Z ORDER BY SystemModstamp") == [second, first]
    assert org.values(since + "2026-01-05T11:00:01Z") == [first]


def test_a_query_too_deep_is_refused(org: SalesforceOrg) -> None:
    soql = f"SELECT Id FROM Opportunity WHERE {'NOT ' * 3000} Name = 'x'"  # noqa: S608 - no SQL

    assert org.query_refused(soql)[0] == "QUERY_TOO_COMPLICATED"
