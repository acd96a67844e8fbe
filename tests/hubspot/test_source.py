"""The source against the sandbox: baseline, rounds, sweeps, refreshes; nothing is lost."""

from collections import Counter
from collections.abc import Iterable

import pytest

from adapters.http_transport import HttpRequest, HttpResponse, NoAnswerError
from adapters.hubspot.auth import fixed_token
from adapters.hubspot.calls import Calls
from adapters.hubspot.source import HubSpotSource, Rhythm
from adapters.sandbox.hubspot.actors import ENGINE_TOKEN
from adapters.source import Source, want_full_pass
from domain import facts
from domain.errors import RetryableError, ThrottledError, UnauthenticatedError
from domain.facts import Fact
from domain.ids import Crm, Kind
from domain.policy import Observe, Policy
from tests.hubspot.portal import APP_ID, BASE_URL, Portal

POLL_SECONDS = 10.0


def counted(found: Iterable[Fact]) -> dict[str, int]:
    return dict(Counter(type(fact).__name__ for fact in found))


def deals(found: Iterable[Fact]) -> list[facts.DealObserved]:
    return [fact for fact in found if isinstance(fact, facts.DealObserved)]


def sets(found: Iterable[Fact]) -> list[facts.AssociationsObserved]:
    return [fact for fact in found if isinstance(fact, facts.AssociationsObserved)]


def settled(portal: Portal, rhythm: Rhythm | None = None) -> HubSpotSource:
    """Return a source that has read everything there is."""
    source = portal.source(rhythm)
    portal.drain(source)
    portal.drain(source)
    return source


def next_round(portal: Portal, source: HubSpotSource) -> list[Fact]:
    portal.later(POLL_SECONDS)
    assert source.due(portal.at)
    return portal.drain(source)


def test_it_is_a_source() -> None:
    source: Source = Portal().source()

    assert source.crm is Crm.HUBSPOT


def test_the_baseline_reads_everything_once_and_says_so() -> None:
    portal = Portal()
    deal_ids = [portal.deal(dealname=f"deal {number}") for number in range(53)]
    contact_id = portal.create("contacts", email="ada@example.com")
    portal.create("companies", name="Acme")
    portal.associate(deal_ids[0], "contacts", contact_id)

    found = portal.drain(portal.source())

    assert counted(found) == {
        "HubSpotCatalogObserved": 1,
        "DealObserved": 53,
        "AssociationsObserved": 53,
        "HubSpotContactObserved": 1,
        "CompanyObserved": 1,
    }
    assert isinstance(found[0], facts.HubSpotCatalogObserved), "rules need the catalog first"
    assert {fact.reason for fact in (*deals(found), *sets(found))} == {"baseline"}
    assert sets(found)[0].contacts == (facts.ContactAssociation(contact_id=contact_id),)


def test_a_restart_in_the_baseline_goes_on_where_it_was() -> None:
    portal = Portal()
    for number in range(120):
        portal.deal(dealname=f"deal {number}")
    source = portal.source()
    first = [fact for _ in range(2) for fact in portal.step(source).facts]

    rest = portal.drain(portal.source())

    assert len(deals(first)) == 50
    assert len(deals(rest)) == 70


def test_a_change_is_found_by_the_round_and_read_once() -> None:
    portal = Portal()
    deal_id = portal.deal(amount="10")
    portal.deal(dealname="another")
    source = settled(portal)
    portal.change("deals", deal_id, amount="11")

    found = next_round(portal, source)

    (fact,) = deals(found)
    assert (fact.deal_id, fact.reason) == (deal_id, "poll")
    assert {one.name: one.value for one in fact.readings}["amount"] == "11"
    assert next_round(portal, source) == []


def test_a_change_during_the_baseline_is_found_after_it() -> None:
    portal = Portal()
    deal_ids = [portal.deal(dealname=f"deal {number}") for number in range(60)]
    source = portal.source()
    portal.step(source)
    portal.step(source)
    portal.change("deals", deal_ids[0], amount="5")

    found = portal.drain(source)

    assert [fact.deal_id for fact in deals(found) if fact.reason == "poll"] == [deal_ids[0]]


def test_more_changes_at_one_instant_than_a_page_holds_are_all_found() -> None:
    portal = Portal()
    source = settled(portal)
    portal.later(POLL_SECONDS)
    still = portal.at
    inputs = [
        {"properties": {"dealname": f"d{number}", "pipeline": "default", "dealstage": "closedwon"}}
        for number in range(100)
    ]
    for _ in range(5):
        portal.at = still
        portal.call("POST", "/crm/v3/objects/deals/batch/create", {"inputs": inputs})

    found = next_round(portal, source)

    assert len({fact.deal_id for fact in deals(found)}) == 500
    assert len(deals(found)) == 500


def test_a_record_that_a_refresh_has_read_is_not_read_again_by_the_round() -> None:
    portal = Portal()
    deal_id = portal.deal()
    source = settled(portal)
    portal.change("deals", deal_id, amount="11")

    read = source.read([portal.wish(Kind.DEAL, deal_id)], portal.later())

    assert [fact.reason for fact in deals(read)] == ["webhook"]
    assert next_round(portal, source) == []


def test_what_did_not_become_durable_is_read_again() -> None:
    portal = Portal()
    deal_id = portal.deal()
    source = settled(portal)
    portal.change("deals", deal_id, amount="11")
    portal.later(POLL_SECONDS)
    lost: list[Fact] = []
    while not deals(lost):
        lost.extend(source.poll(portal.later(0.001)).facts)

    found = portal.drain(source) + next_round(portal, source)

    assert [fact.id for fact in deals(found)] == [fact.id for fact in deals(lost)]


def test_a_lost_deletion_is_found_by_the_sweep() -> None:
    portal = Portal()
    before = portal.deal()
    portal.archive("deals", before)
    portal.later(3_600)
    deal_id = portal.deal()
    source = settled(portal, Rhythm(poll_seconds=POLL_SECONDS, sweep_seconds=60))
    portal.archive("deals", deal_id)
    deleted_at = portal.at
    portal.later(60)

    found = portal.drain(source) + portal.drain(source)

    (fact,) = [one for one in found if isinstance(one, facts.RecordDeleted)]
    assert (fact.record_id, fact.kind, fact.at) == (deal_id, Kind.DEAL, deleted_at)
    portal.later(60)
    again = portal.drain(source) + portal.drain(source)
    assert again == [], "a deletion is told once"


def test_a_lost_change_of_associations_is_found_by_the_sweep() -> None:
    portal = Portal()
    deal_id = portal.deal()
    portal.deal(dealname="another")
    contact_id = portal.create("contacts", email="ada@example.com")
    source = settled(portal, Rhythm(poll_seconds=1e9, sweep_seconds=60))
    portal.later(60)
    assert portal.drain(source) == [], "the baseline's sets are known"
    portal.associate(deal_id, "contacts", contact_id)
    portal.later(60)

    found = portal.drain(source)

    assert [fact.deal_id for fact in sets(found)] == [deal_id]
    portal.later(60)
    assert portal.drain(source) == []
    restarted = settled(portal, Rhythm(poll_seconds=1e9, sweep_seconds=60))
    portal.later(60)
    assert portal.drain(restarted) == [], "a restart remembers the sets"


def test_a_full_pass_that_somebody_waits_for_sweeps_too() -> None:
    portal = Portal()
    deal_id = portal.deal()
    source = settled(portal)
    portal.archive("deals", deal_id)
    want_full_pass(portal.notes, portal.later())

    found: list[Fact] = []
    for _ in range(50):
        polled = portal.step(source)
        found.extend(polled.facts)
        if polled.pass_begun_at is not None:
            break
    else:
        raise AssertionError("the pass never ends")

    assert [type(fact).__name__ for fact in found] == ["RecordDeleted"]


def test_the_catalog_is_told_only_when_it_changed() -> None:
    portal = Portal()
    source = settled(portal, Rhythm(poll_seconds=POLL_SECONDS, catalog_seconds=0))

    assert next_round(portal, source) == []
    portal.act("set_account", timeZone="Asia/Tokyo")
    (fact,) = next_round(portal, source)

    assert isinstance(fact, facts.HubSpotCatalogObserved)
    assert (fact.time_zone, fact.reason) == ("Asia/Tokyo", "poll")


def test_the_catalog_shows_what_rules_read() -> None:
    portal = Portal()
    portal.act("add_owner", email="bea@example.com", firstName="Bea", lastName="Berg")
    portal.act("archive_owner", email="bea@example.com")

    (fact,) = portal.source().read([portal.wish(Kind.CATALOG, "", reason="wanted")], portal.at)

    assert isinstance(fact, facts.HubSpotCatalogObserved)
    assert fact.reason == "refresh"
    assert {one.name: one.is_active for one in fact.owners} == {
        "Ada Admin": True,
        "Bea Berg": False,
    }
    assert fact.pipelines[0].stages[0].probability == "0.2"
    assert fact.lifecycle_stages.index("opportunity") < fact.lifecycle_stages.index("customer")
    by_name = {(one.object, one.name): one for one in fact.properties}
    assert by_name["deal", "dealname"].is_writable
    assert not by_name["contact", "num_associated_deals"].is_writable
    assert by_name["deal", "dealtype"].values == ("newbusiness", "existingbusiness")
    assert "crm.objects.deals.write" in fact.scopes


def test_observed_properties_of_the_policy_are_read() -> None:
    portal = Portal(policy=Policy(observe=Observe(hubspot=("hs_priority",))))
    deal_id = portal.deal(hs_priority="high")

    found = portal.source().read([portal.wish(Kind.DEAL, deal_id)], portal.at)

    assert {one.name: one.value for one in deals(found)[0].readings}["hs_priority"] == "high"


def test_our_own_values_are_marked_ours() -> None:
    portal = Portal()
    deal_id = portal.deal(token=ENGINE_TOKEN)
    portal.change("deals", deal_id, amount="5")

    (fact,) = deals(portal.source().read([portal.wish(Kind.DEAL, deal_id)], portal.at))

    readings = {one.name: one for one in fact.readings}
    assert fact.created_by_us
    assert (readings["dealname"].ours, readings["dealname"].by) == (True, f"INTEGRATION {APP_ID}")
    assert not readings["amount"].ours


def test_a_deleted_record_is_read_as_deleted_at_its_own_time() -> None:
    portal = Portal()
    deal_id = portal.deal()
    portal.archive("deals", deal_id)
    archived_at = portal.at

    (fact,) = portal.source().read([portal.wish(Kind.DEAL, deal_id)], portal.later(100))

    assert isinstance(fact, facts.RecordDeleted)
    assert (fact.record_id, fact.at) == (deal_id, archived_at)


def test_a_record_gone_for_good_is_deleted_when_somebody_said_so() -> None:
    portal = Portal()
    contact_id = portal.create("contacts", email="ada@example.com")
    portal.act("privacy_delete", id=contact_id)
    wish = portal.wish(Kind.CONTACT, contact_id, hint="contact.privacyDeletion")

    (fact,) = portal.source().read([wish], portal.later(100))

    assert isinstance(fact, facts.RecordDeleted)
    assert fact.at == wish.at


@pytest.mark.parametrize("reason", ["import", "import_named", "sync_now"])
def test_an_id_that_nobody_knows_leaves_no_fact_when_a_person_asked(reason: str) -> None:
    portal = Portal()

    found = portal.source().read([portal.wish(Kind.DEAL, "3999999999", reason=reason)], portal.at)

    assert found == ()


def test_a_text_that_is_no_id_is_never_asked_for() -> None:
    portal = Portal()

    assert portal.source().read([portal.wish(Kind.DEAL, "../../1")], portal.at) == ()
    assert portal.asked == []


def merge(portal: Portal, plural: str, primary_id: str, other_id: str) -> str:
    body = {"primaryObjectId": primary_id, "objectIdToMerge": other_id}
    return str(portal.call("POST", f"/crm/v3/objects/{plural}/merge", body)["id"])


@pytest.mark.parametrize("plural", ["deals", "contacts", "companies"])
def test_an_answer_with_another_id_is_a_merge(plural: str) -> None:
    portal = Portal()
    kind = {"deals": Kind.DEAL, "contacts": Kind.CONTACT, "companies": Kind.COMPANY}[plural]
    if kind is Kind.DEAL:
        primary_id, other_id = portal.deal(dealname="one"), portal.deal(dealname="two")
    else:
        primary_id, other_id = portal.create(plural, phone="1"), portal.create(plural, phone="2")
    survivor_id = merge(portal, plural, primary_id, other_id)
    hint = f"{plural}.merge primary={primary_id}"
    wishes = [portal.wish(kind, one, hint=hint) for one in (primary_id, other_id)]

    found = portal.source().read(wishes, portal.later())

    merged = {one.record_id: one for one in found if isinstance(one, facts.RecordMerged)}
    assert set(merged) == {primary_id, other_id} - {survivor_id}
    assert {one.winner_id for one in merged.values()} == {survivor_id}
    assert {one.primary_id for one in merged.values()} == {primary_id}
    assert not [one for one in found if isinstance(one, facts.RecordDeleted)]
    assert len(found) > len(merged), "the survivor is observed as well"


def test_every_reason_gets_its_fact_and_every_import_its_cause() -> None:
    portal = Portal()
    deal_id = portal.deal()
    wishes = [
        portal.wish(Kind.DEAL, deal_id),
        portal.wish(Kind.DEAL, deal_id, hint="deal.propertyChange"),
        portal.wish(Kind.DEAL, deal_id, reason="import:amount"),
        portal.wish(Kind.DEAL, deal_id, reason="gap"),
    ]

    found = portal.source().read(wishes, portal.later())

    assert [fact.reason for fact in deals(found)] == ["webhook", "import:amount", "refresh"]


def test_a_large_account_is_read_in_batches() -> None:
    portal = Portal()
    inputs = [
        {"properties": {"dealname": f"d{number}", "pipeline": "default", "dealstage": "closedwon"}}
        for number in range(100)
    ]
    answer = portal.call("POST", "/crm/v3/objects/deals/batch/create", {"inputs": inputs})
    wishes = [portal.wish(Kind.DEAL, str(row["id"])) for row in answer["results"]]
    portal.asked.clear()

    found = portal.source().read(wishes, portal.later())

    assert len(deals(found)) == 100
    assert Counter(portal.asked) == {
        "POST /oauth/v2/private-apps/get/access-token-info": 1,
        "POST /crm/v3/objects/deals/batch/read": 2,
        "POST /crm/v4/associations/deals/contacts/batch/read": 1,
        "POST /crm/v4/associations/deals/companies/batch/read": 1,
    }


def test_a_throttle_says_until_when() -> None:
    portal = Portal()
    source = portal.source()
    portal.box.set_rate_limit({"burst": 0})

    with pytest.raises(ThrottledError) as raised:
        source.poll(portal.at)

    assert 0 < (raised.value.until - portal.at).total_seconds() <= 10


def test_a_daily_limit_lasts_until_the_accounts_midnight() -> None:
    portal = Portal()
    portal.act("set_account", timeZone="Asia/Tokyo")
    source = settled(portal)
    portal.box.set_rate_limit({"daily": 0})

    with pytest.raises(ThrottledError) as raised:
        source.read([portal.wish(Kind.DEAL, "1")], portal.at)

    assert raised.value.until.isoformat() == "2026-11-24T15:00:00+00:00"


def test_a_token_that_nobody_knows_is_unauthenticated() -> None:
    portal = Portal()
    calls = Calls(portal.transport(), base_url=BASE_URL, token=fixed_token("wrong"))
    source = HubSpotSource(calls, portal.notes, Policy)

    with pytest.raises(UnauthenticatedError):
        source.poll(portal.at)


class Silent:
    """A transport that never answers."""

    def send(self, request: HttpRequest, *, timeout_seconds: float) -> HttpResponse:
        raise NoAnswerError(f"{request.method} after {timeout_seconds} s")


def test_a_read_without_an_answer_may_be_repeated() -> None:
    portal = Portal()
    calls = Calls(Silent(), base_url=BASE_URL, token=fixed_token("pat-x"))
    source = HubSpotSource(calls, portal.notes, Policy)

    with pytest.raises(RetryableError):
        source.poll(portal.at)
