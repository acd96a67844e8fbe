"""Undelete, restore, resume, merge."""

from domain import events, ids
from domain.mapping import AMOUNT, DEFAULT_MAPPINGS, FieldRule
from domain.pair import PairState
from domain.policy import Policy
from domain.rules import RuleId
from domain.writes import ArchiveDeal, CreateDeal, CreateOpportunity, UpdateDeal, UpdateOpportunity
from tests.support.scenario import DEAL, OPPORTUNITY, Scenario

SECOND = "9002"


def deleted() -> Scenario:
    """Return a pair whose opportunity was deleted and whose deal is archived."""
    scenario = Scenario().adopted().live()
    scenario.when(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))
    (archive,) = scenario.asked(ArchiveDeal)
    return scenario.given(scenario.done(archive, 41, DEAL), scenario.deleted(42, ids.deal(DEAL)))


def test_undeleting_makes_a_new_deal_under_the_next_key() -> None:
    scenario = deleted()

    scenario.when(scenario.opportunity(50))

    (create,) = scenario.asked(CreateDeal)
    assert f"{OPPORTUNITY}:2" == create.key
    assert scenario.told(events.RecordRevived)[0].rule == RuleId.UNDELETE


def test_undeleting_before_the_deletion_was_sent_withdraws_it() -> None:
    scenario = Scenario().adopted().live()
    scenario.when(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))
    (archive,) = scenario.asked(ArchiveDeal)

    scenario.when(scenario.opportunity(50))

    assert [archive.id] == [e.write_id for e in scenario.told(events.WriteWithdrawn)]
    assert scenario.pair().state == PairState.LIVE


def test_undeleting_after_the_deletion_was_sent_makes_a_new_deal() -> None:
    scenario = Scenario().adopted().live()
    scenario.when(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))
    (archive,) = scenario.asked(ArchiveDeal)
    scenario.given(scenario.opportunity(50))

    scenario.when(scenario.done(archive, 51, DEAL))

    assert f"{OPPORTUNITY}:2" == scenario.asked(CreateDeal)[0].key


def test_a_restored_deal_is_attached_again() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.deleted(40, ids.deal(DEAL)))

    scenario.when(scenario.deal(50, link=OPPORTUNITY))

    assert scenario.pair().state == PairState.LIVE


def test_a_restored_deal_is_brought_in_step() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.deleted(40, ids.deal(DEAL)))
    scenario.given(scenario.opportunity(45, amount="77"))

    scenario.when(scenario.deal(50, link=OPPORTUNITY))

    (update,) = scenario.asked(UpdateDeal)
    assert [c.after for c in update.fields if c.name == "amount"] == ["77"]


def test_a_deal_restored_while_the_opportunity_is_deleted_stays_detached() -> None:
    scenario = deleted()

    scenario.when(scenario.deal(50, link=OPPORTUNITY))

    assert scenario.asked(ArchiveDeal) == ()
    assert scenario.pair(ids.deal(DEAL)).state == PairState.DETACHED


def test_the_newer_deal_keeps_the_pair_when_the_old_one_comes_back() -> None:
    scenario = deleted()
    scenario.when(scenario.opportunity(50))
    (create,) = scenario.asked(CreateDeal)
    scenario.given(scenario.done(create, 51, SECOND))

    scenario.when(scenario.deal(60, link=OPPORTUNITY))

    assert scenario.pair().hubspot.current == SECOND
    assert "DS202" in scenario.issues()


def test_stopped_then_deleted_and_undeleted_is_stopped_again() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.deal(35, pipeline_id="default", stage_id="x", set_at={"pipeline": 34}))
    scenario.given(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))

    scenario.when(scenario.opportunity(50))

    assert scenario.pair().state == PairState.STOPPED


def test_resume_creates_what_is_missing() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.deleted(40, ids.deal(DEAL)))

    scenario.when(scenario.asks(50, "resume"))

    assert len(scenario.asked(CreateDeal)) == 1


def test_resume_attaches_what_lives() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.asks(40, "unlink"))

    scenario.when(scenario.asks(50, "resume"))

    assert scenario.asked(CreateDeal) == ()
    assert scenario.pair().state == PairState.LIVE


def test_a_new_deal_inherits_no_conflict_from_the_old_one() -> None:
    mappings = tuple(
        mapping.model_copy(update={"rule": FieldRule.HOLD}) if mapping.name == AMOUNT else mapping
        for mapping in DEFAULT_MAPPINGS
    )
    scenario = Scenario().adopted(Policy(mappings=mappings)).live()
    scenario.given(scenario.opportunity(35, amount="70"))
    scenario.given(scenario.deal(36, amount="18", set_at={"amount": 34}, link=OPPORTUNITY))
    scenario.given(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))
    scenario.given(scenario.deleted(42, ids.deal(DEAL)))
    scenario.when(scenario.opportunity(50, amount="70"))
    (create,) = scenario.asked(CreateDeal)
    scenario.given(scenario.done(create, 51, SECOND))

    scenario.when(scenario.opportunity(60, amount="280"))

    (write,) = scenario.asked(UpdateDeal)
    assert ("amount", "280") in {(c.field, c.after) for c in write.fields}


def test_undeleting_attaches_a_deal_that_was_restored_before() -> None:
    scenario = deleted()
    scenario.given(scenario.deal(50, link=OPPORTUNITY))

    scenario.when(scenario.opportunity(60, amount="1300"))

    assert scenario.pair().state == PairState.LIVE
    assert scenario.pair().hubspot.current == DEAL
    assert scenario.asked(CreateDeal) == ()
    (write,) = scenario.asked(UpdateDeal)
    assert ("amount", "1300") in {(c.field, c.after) for c in write.fields}


def test_a_deal_restored_while_a_new_one_is_made_does_not_get_its_place_back() -> None:
    scenario = deleted()
    scenario.when(scenario.opportunity(50))
    (create,) = scenario.asked(CreateDeal)

    scenario.when(scenario.deal(51))

    assert "DS202" in scenario.issues()
    scenario.given(scenario.done(create, 52, SECOND))
    pair = scenario.pair()
    assert pair.hubspot.current == SECOND
    assert [deal_id for deal_id, lives in pair.hubspot.ids.items() if lives] == [SECOND]


def test_the_survivor_of_a_merge_keeps_the_pair() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.merged(40, ids.deal(DEAL), SECOND, primary_id=DEAL))

    assert scenario.pair().hubspot.current == SECOND
    assert scenario.pair().state == PairState.LIVE
    assert scenario.told(events.CounterpartLinked)[0].rule == RuleId.MERGE


def two_pairs() -> tuple[Scenario, str]:
    """Let the usual pair live, and another opportunity whose deal is `SECOND`; return its id."""
    other = ids.salesforce_id("006000000000002")
    scenario = Scenario().adopted().live()
    scenario.when(scenario.opportunity(40, opportunity_id=other))
    (create,) = scenario.asked(CreateDeal)
    scenario.given(scenario.done(create, 41, SECOND))
    return scenario, other


def test_the_opportunity_left_over_by_a_merge_is_detached_not_deleted() -> None:
    scenario, other = two_pairs()
    scenario.given(scenario.merged(50, ids.deal(DEAL), "9003", primary_id=DEAL))

    scenario.when(scenario.merged(51, ids.deal(SECOND), "9003", primary_id=DEAL))

    assert scenario.pair(ids.opportunity(other)).state == PairState.DETACHED
    assert {"DS601"} == scenario.issues(ids.opportunity(other))
    assert scenario.pair().hubspot.current == "9003"


def test_without_word_of_the_merge_the_survivor_goes_to_the_pair_that_it_names() -> None:
    """The webhook was lost: HubSpot says who went into whom, and not which was the primary one."""
    scenario, other = two_pairs()
    both = (DEAL, SECOND)

    scenario.given(scenario.merged(50, ids.deal(DEAL), "9003", link=other, merged_ids=both))
    scenario.given(scenario.merged(51, ids.deal(SECOND), "9003", link=other, merged_ids=both))

    assert scenario.pair(ids.opportunity(other)).hubspot.current == "9003"
    assert scenario.pair().state == PairState.DETACHED
    assert {"DS601"} == scenario.issues()


def test_a_survivor_that_was_left_to_a_pair_stays_left_to_it() -> None:
    """A blank link of the primary is filled from the other deal; the webhook comes afterwards."""
    scenario, other = two_pairs()
    both = (DEAL, SECOND)
    read = scenario.merged(50, ids.deal(SECOND), "9003", link=OPPORTUNITY, merged_ids=both)

    scenario.given(read, scenario.merged(51, ids.deal(DEAL), "9003", primary_id=SECOND))

    assert scenario.pair().hubspot.current == "9003"
    assert scenario.pair(ids.opportunity(other)).state == PairState.DETACHED


def test_a_copied_link_gives_a_survivor_to_nobody() -> None:
    scenario, other = two_pairs()

    scenario.given(scenario.merged(50, ids.deal(DEAL), "9003", link=other, merged_ids=(DEAL,)))

    assert scenario.pair().hubspot.current == "9003"
    assert scenario.pair(ids.opportunity(other)).hubspot.current == SECOND


def test_a_survivor_seen_before_its_merge_founds_nothing() -> None:
    scenario = Scenario().adopted().live()
    survivor = scenario.deal(40, deal_id="9003", link=OPPORTUNITY, merged_ids=(DEAL, SECOND))

    scenario.when(survivor)

    (wanted,) = scenario.told(events.RefreshWanted)
    assert wanted.record_id == DEAL
    assert not scenario.writes()
    scenario.given(scenario.merged(41, ids.deal(DEAL), "9003")).when(survivor)
    assert scenario.pair(ids.deal("9003")).salesforce.current == OPPORTUNITY
    (link,) = scenario.writes()
    assert isinstance(link, UpdateOpportunity)
    assert [(change.name, change.after) for change in link.fields] == [
        ("DealSync_Deal_Id__c", "9003")
    ]


def test_a_survivor_that_comes_out_of_the_bin_goes_to_the_opportunity_that_it_names() -> None:
    """Nobody saw the merge: the deals were gone, and so was what they had become."""
    scenario = Scenario().adopted().live()
    scenario.given(scenario.deleted(40, ids.deal(DEAL)), scenario.deleted(41, ids.deal("9003")))
    back = scenario.deal(50, deal_id="9003", link=OPPORTUNITY, merged_ids=(DEAL, SECOND))

    scenario.when(back)

    assert not scenario.all_asked(CreateOpportunity)
    pair = scenario.pair(ids.deal("9003"))
    assert (pair.hubspot.current, pair.salesforce.current) == ("9003", OPPORTUNITY)
    # The key of the deal that was is taken for ever: a further one gets the third.
    assert dict(pair.hubspot.ids) == {DEAL: False, "9003": True}
    assert scenario.pair(ids.opportunity(OPPORTUNITY)).stream == pair.stream


def test_a_survivor_is_a_record_of_its_own() -> None:
    """What somebody did to the deal that went into it says nothing about the survivor's stage."""
    scenario = Scenario().adopted().live()
    moved = {"dealstage": 30, "pipeline": 30}
    out = scenario.deal(40, pipeline_id="default", stage_id="x", set_at=moved, link=OPPORTUNITY)
    scenario.given(out, scenario.merged(50, ids.deal(DEAL), "9003", primary_id=DEAL))
    set_at = {"dealstage": 20, "pipeline": 20}

    scenario.when(scenario.deal(60, deal_id="9003", stage="Negotiation", set_at=set_at))

    pair = scenario.pair()
    assert pair.state == PairState.LIVE
    (write,) = scenario.asked(UpdateOpportunity)
    assert ("StageName", "Negotiation") in [(c.name, c.after) for c in write.fields]


def test_a_merge_told_twice_is_decided_once() -> None:
    scenario = Scenario().adopted().live()
    merged = scenario.merged(40, ids.deal(DEAL), SECOND, primary_id=DEAL)

    scenario.given(merged).when(merged)

    assert scenario.writes() == ()


def test_a_deal_that_loses_its_opportunity_never_makes_another() -> None:
    """`once-paired`: moving a stopped deal back makes no new opportunity."""
    scenario = Scenario().adopted().live()
    scenario.given(scenario.deal(35, pipeline_id="default", stage_id="x", set_at={"pipeline": 34}))
    scenario.given(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))

    scenario.when(scenario.deal(50, set_at={"pipeline": 49, "dealstage": 49}))

    assert scenario.asked(CreateOpportunity) == ()
    assert scenario.pair(ids.deal(DEAL)).state == PairState.DETACHED
