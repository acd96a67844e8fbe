"""Which company is an account's, and which company a deal shows as its primary one."""

from collections.abc import Iterator

import pytest

from tests.acceptance.user import User
from tests.support.program import running

WITHOUT_COMPANIES = "[switches]\ncompany_sync = false\n"
WITH_COMPANIES = "[switches]\ncompany_sync = true\n"


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """Run a program whose company sync is off at first."""
    folder = tmp_path_factory.mktemp("companies")
    path = folder / "policy.toml"
    path.write_text(WITHOUT_COMPANIES, encoding="utf-8")
    with running(folder / "home", "--empty", "--policy", str(path)) as program:
        yield User(program)


def test_turning_company_sync_on_later_strips_no_account(late: User) -> None:
    """Rules `company-sync-order`, `company-sync`, `account-identity`."""
    by_domain = late.create("Account", Name="Domain Ltd", Website="https://www.domain.example/x")
    by_name = late.create("Account", Name="Name Ltd")
    carried = late.create("Account", Name="Carried Ltd")
    companies = {
        by_domain: late.create_company(name="Another name", domain="domain.example"),
        by_name: late.create_company(name="Name Ltd"),
        carried: late.create_company(name="Yet another", salesforceaccountid=carried),
    }
    first, deal = late.synced("Without a company", AccountId=by_domain)
    assert late.associated(deal["id"], "companies") == []

    path = late.program.home.parent / "on.toml"
    path.write_text(WITH_COMPANIES, encoding="utf-8")
    warned = late.call("policy", "check", str(path))
    assert "dealsync import accounts" in warned.out
    late.adopt(WITH_COMPANIES)
    late.until_quiet()
    assert late.opportunity(first)["AccountId"] == by_domain

    unknown, waiting = late.synced("Waits for its company", AccountId=by_name)
    assert late.associated(waiting["id"], "companies") == []

    told = late.done("import", "accounts", "--all")
    assert (told["count"], told["linked"]) == (3, 3)
    late.edit_opportunity(first, Amount=5)
    late.until_quiet()
    assert late.associated(deal["id"], "companies") == [companies[by_domain]]
    assert late.associated(waiting["id"], "companies") == [companies[by_name]]
    assert late.opportunity(first)["AccountId"] == by_domain

    new = late.create("Account", Name="Brand new Ltd")
    late.edit_opportunity(unknown, AccountId=new)
    late.until_quiet()
    (made,) = late.associated(waiting["id"], "companies")
    shown = late.company(made)
    assert (shown["name"], shown["dealsync_account_id"]) == ("Brand new Ltd", new)

    late.edit_opportunity(unknown, AccountId=None)
    late.until_quiet()
    assert late.associated(waiting["id"], "companies") == []

    late.associate(waiting["id"], "companies", companies[carried])
    late.until_quiet()
    assert late.opportunity(unknown)["AccountId"] == carried


def test_an_opportunity_from_a_deal_takes_the_account_of_its_company(late: User) -> None:
    """Rule `company-sync`: AccountId is never blanked."""
    late.adopt(WITH_COMPANIES)
    account = late.create("Account", Name="Only one")
    company = late.create_company(name="Only one")
    late.until_quiet()  # HubSpot's search shows a company a moment after it was made
    late.done("import", "accounts", "--ids", account)
    _, like = late.synced("Shows the pipeline")
    deal = late.deal_like(like, dealname="Of a company")
    late.associate(deal, "companies", company)
    late.until_quiet()
    (made,) = late.opportunities_named("Of a company")
    assert made["AccountId"] == account

    late.dissociate(deal, "companies", company)
    late.until_quiet()
    assert late.opportunity(made["Id"])["AccountId"] == account


def test_two_companies_of_one_name_are_no_link(late: User) -> None:
    """Rule `account-identity`: an issue names both, never a guess."""
    late.adopt(WITH_COMPANIES)
    account = late.create("Account", Name="Ambiguous Ltd")
    companies = [late.create_company(name="Ambiguous Ltd") for _ in "12"]
    late.until_quiet()

    told = late.call("import", "accounts", "--ids", account, "--json")

    assert (told.code, told.json["ambiguous"]) == (3, 1)
    late.until_quiet()
    (issue,) = late.done("issues", "show", "DS204")["issues"]
    assert all(company in issue["text"] for company in companies)
