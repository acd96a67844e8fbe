"""Which contact is which, and which company an account's."""

from domain import events, facts, ids
from domain.facts import Candidate, CandidatesChanged
from domain.ids import Crm, Kind, Ref, salesforce_id
from domain.rules import RuleId
from domain.writes import CreateCompany, UpdateCompany
from tests.support.scenario import Scenario, at

ANN, CLEO = salesforce_id("003000000000001"), salesforce_id("003000000000002")
ACCOUNT = salesforce_id("001000000000001")
HERE = Ref(Crm.HUBSPOT, Kind.CONTACT, "77")


def seen(scenario: Scenario, *salesforce_ids: str, hubspot: str = "77") -> Scenario:
    """Let contacts of both CRMs be observed."""
    for n, contact_id in enumerate(salesforce_ids):
        scenario.given(
            facts.SalesforceContactObserved(
                id=scenario.fact_id(),
                at=at(n),
                read_begun_at=at(n),
                reason="poll",
                contact_id=contact_id,
                email="ann@x.example",
                name="Ann Lee",
                account_id=None,
            )
        )
    return scenario.given(
        facts.HubSpotContactObserved(
            id=scenario.fact_id(),
            at=at(5),
            read_begun_at=at(5),
            reason="poll",
            contact_id=hubspot,
            email="ann@x.example",
            salesforce_contact_id=None,
            lifecycle_stage="lead",
        )
    )


def candidates(
    scenario: Scenario, *found: tuple[str, str, int], of: Ref = HERE
) -> CandidatesChanged:
    return CandidatesChanged(
        id=scenario.fact_id(),
        at=scenario.now,
        stream=ids.stream_of(of),
        candidates=tuple(Candidate(record_id=i, kind=kind, count=n) for i, kind, n in found),
    )


def test_one_contact_on_each_side_with_that_address_is_the_same_person() -> None:
    scenario = seen(Scenario().adopted(), ANN)

    scenario.when(candidates(scenario, (ANN, "email", 1)))

    (linked,) = scenario.told(events.ContactLinked)
    assert (linked.contact_id, linked.salesforce_contact_id, linked.how) == ("77", ANN, "email")
    assert linked.rule == RuleId.CONTACT_IDENTITY


def test_several_candidates_are_an_issue_never_a_guess() -> None:
    scenario = seen(Scenario().adopted(), ANN, CLEO)

    scenario.when(candidates(scenario, (ANN, "email", 2), (CLEO, "email", 2)))

    assert scenario.told(events.ContactLinked) == ()
    (issue,) = scenario.told(events.IssueOpened)
    assert issue.code == "DS203"
    assert ANN in issue.text
    assert CLEO in issue.text


def test_a_carried_id_replaces_a_link_by_email() -> None:
    scenario = seen(Scenario().adopted(), ANN, CLEO)
    scenario.given(candidates(scenario, (ANN, "email", 1)))

    scenario.when(candidates(scenario, (CLEO, "id", 1), (ANN, "email", 1)))

    assert [e.salesforce_contact_id for e in scenario.told(events.ContactUnlinked)] == [ANN]
    assert [e.salesforce_contact_id for e in scenario.told(events.ContactLinked)] == [CLEO]


def test_a_link_stays_when_the_address_changes() -> None:
    scenario = seen(Scenario().adopted(), ANN)
    scenario.given(candidates(scenario, (ANN, "email", 1)))

    scenario.when(candidates(scenario))

    assert scenario.told(events.ContactUnlinked) == ()


def test_two_contacts_that_carry_one_id_are_an_issue() -> None:
    scenario = seen(Scenario().adopted(), ANN)

    scenario.when(candidates(scenario, (ANN, "id", 2)))

    assert scenario.told(events.ContactLinked) == ()
    assert [e.code for e in scenario.told(events.IssueOpened)] == ["DS203"]


def test_a_deleted_contact_is_unlinked() -> None:
    scenario = seen(Scenario().adopted(), ANN)
    scenario.given(candidates(scenario, (ANN, "email", 1)))

    scenario.when(scenario.deleted(50, HERE))

    assert len(scenario.told(events.ContactUnlinked)) == 1


def test_the_link_follows_the_survivor_of_a_merge() -> None:
    scenario = seen(Scenario().adopted(), ANN, CLEO)
    scenario.given(candidates(scenario, (ANN, "email", 1)))

    scenario.when(scenario.merged(50, Ref(Crm.SALESFORCE, Kind.CONTACT, ANN), CLEO))

    (linked,) = scenario.told(events.ContactLinked)
    assert (linked.contact_id, linked.salesforce_contact_id, linked.how) == ("77", CLEO, "merged")


def imported(*companies: tuple[str, str | None]) -> Scenario:
    """Let an account be imported and companies be known: (id, domain)."""
    scenario = Scenario().adopted()
    for company_id, domain in companies:
        scenario.given(
            facts.CompanyObserved(
                id=scenario.fact_id(),
                at=at(1),
                read_begun_at=at(1),
                reason="poll",
                company_id=company_id,
                name="Acme",
                domain=domain,
                salesforce_account_id=None,
            )
        )
    return scenario.given(
        facts.AccountObserved(
            id=scenario.fact_id(),
            at=at(2),
            read_begun_at=at(2),
            reason="import",
            account_id=ACCOUNT,
            name="Acme",
            domain="acme.example",
        )
    )


OF_ACCOUNT = Ref(Crm.SALESFORCE, Kind.ACCOUNT, ACCOUNT)


def test_an_imported_account_links_to_the_only_company_of_its_domain() -> None:
    scenario = imported(("88", "acme.example"))

    scenario.when(candidates(scenario, ("88", "domain", 1), of=OF_ACCOUNT))

    (linked,) = scenario.told(events.AccountLinked)
    assert (linked.company_id, linked.how, linked.rule) == ("88", "domain", RuleId.ACCOUNT_IDENTITY)
    assert [w.company_id for w in scenario.asked(UpdateCompany)] == ["88"]


def test_an_account_without_a_company_gets_one() -> None:
    scenario = imported()

    scenario.when(candidates(scenario, of=OF_ACCOUNT))

    (create,) = scenario.asked(CreateCompany)
    assert create.key == ACCOUNT
    scenario.when(scenario.done(create, 20, "89"))
    assert [e.company_id for e in scenario.told(events.AccountLinked)] == ["89"]


def test_a_company_whose_create_was_lost_is_looked_for_anew() -> None:
    scenario = imported()
    scenario.when(candidates(scenario, of=OF_ACCOUNT))
    (lost,) = scenario.asked(CreateCompany)

    scenario.when(scenario.cancelled(lost, 20, "lost: no effect was found", RuleId.ONCE))
    assert len(scenario.told(events.AccountImported)) == 1

    scenario.when(candidates(scenario, of=OF_ACCOUNT))
    assert [create.key for create in scenario.asked(CreateCompany)] == [ACCOUNT]


def test_a_company_found_while_one_is_made_stays_the_accounts() -> None:
    scenario = imported()
    scenario.when(candidates(scenario, of=OF_ACCOUNT))
    (create,) = scenario.asked(CreateCompany)
    scenario.given(
        facts.CompanyObserved(
            id=scenario.fact_id(),
            at=at(15),
            read_begun_at=at(15),
            reason="poll",
            company_id="88",
            name="Acme",
            domain="acme.example",
            salesforce_account_id=None,
        )
    )
    scenario.given(candidates(scenario, ("88", "domain", 1), of=OF_ACCOUNT))

    scenario.when(scenario.done(create, 20, "89"))

    assert scenario.told(events.AccountLinked) == ()
    identity = scenario.identities[OF_ACCOUNT]
    assert identity is not None
    assert identity.linked_to == "88"


def test_several_companies_are_an_issue() -> None:
    scenario = imported(("88", "acme.example"), ("89", "acme.example"))

    scenario.when(candidates(scenario, ("88", "domain", 2), ("89", "domain", 2), of=OF_ACCOUNT))

    assert scenario.writes() == ()
    assert [e.code for e in scenario.told(events.IssueOpened)] == ["DS204"]


def test_importing_again_is_harmless() -> None:
    scenario = imported(("88", "acme.example"))
    scenario.given(candidates(scenario, ("88", "domain", 1), of=OF_ACCOUNT))

    scenario.when(candidates(scenario, ("88", "domain", 1), of=OF_ACCOUNT))

    assert scenario.writes() == ()
