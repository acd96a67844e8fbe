"""One-way delete and tombstones, fact by fact."""

import pytest

from domain import events, ids
from domain.facts import WriteHeld
from domain.pair import PairState
from domain.policy import Policy, Switches
from domain.rules import RuleId
from domain.writes import WRITES, ArchiveDeal, CreateDeal, CreateOpportunity
from tests.support.scenario import DEAL, OPPORTUNITY, Scenario, at


def test_deleting_the_opportunity_deletes_the_deal() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))

    assert len(scenario.asked(ArchiveDeal)) == 1
    assert scenario.pair().state == PairState.DELETED
    assert scenario.told(events.PairDeleted)[0].rule == RuleId.DELETE_DOWN


def test_deleting_the_deal_leaves_the_opportunity_alone() -> None:
    scenario = Scenario().adopted().live()

    scenario.when(scenario.deleted(40, ids.deal(DEAL)))

    assert scenario.writes() == ()
    assert scenario.pair().state == PairState.DETACHED
    assert scenario.told(events.PairDetached)[0].rule == RuleId.DELETE_NEVER_UP


def test_no_write_deletes_an_opportunity() -> None:
    removing = {w.OPERATION for w in WRITES if w.CRM is ids.Crm.SALESFORCE}

    assert {"create", "update", "add_role", "remove_role", "create_field"} == removing


def test_editing_the_opportunity_does_not_bring_a_deleted_deal_back() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.deleted(40, ids.deal(DEAL)))

    scenario.when(scenario.opportunity(50, amount="5"))

    assert scenario.writes() == ()


def test_stopped_means_stopped() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.deal(35, pipeline_id="default", stage_id="x", set_at={"pipeline": 34}))

    scenario.when(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))

    assert scenario.asked(ArchiveDeal) == ()
    assert scenario.pair().state == PairState.DETACHED


@pytest.mark.parametrize(("moved_at", "archived"), [(37, 1), (39, 0), (45, 0)])
def test_stopped_is_what_the_pair_was_when_the_opportunity_was_deleted(
    moved_at: float, archived: int
) -> None:
    """Moved back before that, it was live; within the skew nobody knows; after it, it stays."""
    scenario = Scenario().adopted().live()
    scenario.given(scenario.deal(35, pipeline_id="default", stage_id="x", set_at={"pipeline": 34}))
    scenario.given(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))

    scenario.when(scenario.deal(50, set_at={"pipeline": moved_at}, link=OPPORTUNITY))

    assert len(scenario.asked(ArchiveDeal)) == archived
    state = PairState.DELETED if archived else PairState.DETACHED
    assert scenario.pair().state == state


def test_a_pipeline_synced_later_deletes_nothing_afterwards() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.deal(35, pipeline_id="default", stage_id="x", set_at={"pipeline": 34}))
    scenario.given(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))

    scenario.when(scenario.deal(50, set_at={"pipeline": 34}, link=OPPORTUNITY))

    assert scenario.asked(ArchiveDeal) == ()


def test_deleting_while_deal_sync_is_off_detaches_with_an_issue() -> None:
    scenario = Scenario().adopted().live().propose(Policy(switches=Switches(deal_sync=False)))

    scenario.when(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))

    assert scenario.asked(ArchiveDeal) == ()
    assert scenario.pair().state == PairState.DETACHED
    assert {"DS101"} == scenario.issues()


def archiving() -> tuple[Scenario, ArchiveDeal]:
    """Return a pair whose opportunity was deleted, and the write that archives its deal."""
    scenario = Scenario().adopted().live()
    scenario.when(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))
    (archive,) = scenario.asked(ArchiveDeal)
    return scenario, archive


def test_a_deletion_that_a_look_called_off_is_decided_anew() -> None:
    scenario, archive = archiving()
    scenario.given(scenario.cancelled(archive, 41, "overtaken: amount", RuleId.ECHO))

    scenario.when(scenario.deal(42, amount="6", set_at={"amount": 39}, link=OPPORTUNITY))

    assert len(scenario.asked(ArchiveDeal)) == 1


def test_a_deal_moved_out_before_its_deletion_stays() -> None:
    scenario, archive = archiving()
    scenario.given(scenario.cancelled(archive, 41, "overtaken: pipeline", RuleId.PIPELINE_SCOPE))
    times = {"pipeline": 39, "dealstage": 39}

    scenario.when(
        scenario.deal(42, pipeline_id="default", stage_id="x", set_at=times, link=OPPORTUNITY)
    )

    assert scenario.asked(ArchiveDeal) == ()
    assert scenario.pair(ids.deal(DEAL)).state == PairState.DETACHED


def test_a_deletion_that_a_person_discards_is_not_decided_again() -> None:
    scenario, archive = archiving()

    scenario.when(scenario.cancelled(archive, 41, "discarded", RuleId.DELETE_FUSE))

    assert scenario.asked(ArchiveDeal) == ()
    assert scenario.pair(ids.deal(DEAL)).state == PairState.DETACHED


def test_a_deletion_is_decided_once() -> None:
    scenario = Scenario().adopted().live()
    deleted = scenario.deleted(40, ids.opportunity(OPPORTUNITY))

    scenario.given(deleted).when(deleted)

    assert scenario.writes() == ()
    assert scenario.why_not()[0] == RuleId.TOMBSTONE


def test_a_late_reading_does_not_revive_a_deleted_opportunity() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))

    scenario.when(scenario.opportunity(35, amount="9"))

    assert scenario.pair().state == PairState.DELETED
    assert scenario.why_not()[0] == RuleId.TOMBSTONE


def test_a_deletion_older_than_a_reading_is_not_believed() -> None:
    scenario = Scenario().adopted().live()
    scenario.given(scenario.opportunity(50))

    scenario.when(scenario.deleted(45, ids.opportunity(OPPORTUNITY)))

    assert scenario.pair().state == PairState.LIVE


def test_the_deletion_of_an_unknown_record_is_remembered() -> None:
    scenario = Scenario().adopted()
    scenario.given(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))

    scenario.when(scenario.opportunity(30))

    assert scenario.writes() == ()


def test_a_create_not_answered_yet_is_withdrawn() -> None:
    scenario = Scenario().adopted().when(Scenario().opportunity(10))
    (create,) = scenario.asked(CreateDeal)

    scenario.when(scenario.deleted(20, ids.opportunity(OPPORTUNITY)))

    (withdrawn,) = scenario.told(events.WriteWithdrawn)
    assert (create.id, RuleId.CREATE_RACE) == (withdrawn.write_id, withdrawn.rule)


def test_a_create_sent_before_the_deletion_is_learned_and_its_deal_archived() -> None:
    scenario = Scenario().adopted().when(Scenario().opportunity(10))
    (create,) = scenario.asked(CreateDeal)
    scenario.given(scenario.deleted(20, ids.opportunity(OPPORTUNITY)))

    scenario.when(scenario.done(create, 25, DEAL))

    assert len(scenario.asked(ArchiveDeal)) == 1


def test_a_deal_deleted_while_its_opportunity_is_created_leaves_that_alone() -> None:
    scenario = Scenario().adopted().when(Scenario().deal(10))
    (create,) = scenario.asked(CreateOpportunity)
    scenario.given(scenario.deleted(20, ids.deal(DEAL)))

    scenario.when(scenario.done(create, 25, OPPORTUNITY))

    assert scenario.writes() == ()
    assert scenario.pair().state == PairState.DETACHED
    assert scenario.pair().salesforce.current == OPPORTUNITY


def test_an_opportunity_deleted_before_it_is_known_for_the_deals_takes_the_deal_along() -> None:
    scenario = Scenario().adopted().when(Scenario().deal(10))
    (create,) = scenario.asked(CreateOpportunity)
    scenario.given(scenario.deleted(20, ids.opportunity(OPPORTUNITY)))

    scenario.when(scenario.done(create, 25, OPPORTUNITY))

    assert len(scenario.asked(ArchiveDeal)) == 1
    assert scenario.pair(ids.deal(DEAL)).state == PairState.DELETED
    (absorbed,) = scenario.told(events.PairAbsorbed)
    assert scenario.pair(ids.deal(DEAL)).stream == absorbed.into


def test_a_deal_deleted_before_it_is_known_for_the_opportunitys_is_not_made_again() -> None:
    scenario = Scenario().adopted().when(Scenario().opportunity(10))
    (create,) = scenario.asked(CreateDeal)
    scenario.given(scenario.deleted(20, ids.deal(DEAL)))

    scenario.when(scenario.done(create, 25, DEAL))

    assert scenario.writes() == ()
    assert scenario.pair().state == PairState.DETACHED
    scenario.when(scenario.opportunity(30, amount="1300"))
    assert scenario.writes() == ()


@pytest.mark.parametrize("rule", [RuleId.DELETE_FUSE])
def test_the_fuse_is_where_writes_are_claimed(rule: RuleId) -> None:
    """A held deletion stays open in the pair until a person releases it."""
    scenario = Scenario().adopted().live()
    scenario.when(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))
    (archive,) = scenario.asked(ArchiveDeal)

    from domain.facts import WriteHeld  # noqa: PLC0415  # one use

    scenario.when(
        WriteHeld(
            id=scenario.fact_id(),
            at=scenario.now,
            stream=archive.stream,
            write_id=archive.id,
            reason="too many deletes at once",
        )
    )

    (closed,) = scenario.told(events.WriteClosed)
    assert ("held", rule) == (closed.outcome, closed.rule)
    assert scenario.pair().has_open(ArchiveDeal)


def test_a_deletion_that_the_fuse_holds_is_an_issue_until_it_is_settled() -> None:
    scenario = Scenario().live()
    scenario.when(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))
    (write,) = scenario.asked(ArchiveDeal)
    held = WriteHeld(
        id=scenario.fact_id(),
        at=at(50),
        stream=write.stream,
        write_id=write.id,
        reason="25 deletes in 10 minutes",
    )

    scenario.when(held)
    assert {"DS602"} == scenario.issues(ids.deal(DEAL))

    scenario.when(scenario.done(write, 60, DEAL))
    assert set() == scenario.issues(ids.deal(DEAL))


def test_a_held_deletion_that_is_discarded_leaves_no_issue() -> None:
    scenario = Scenario().live()
    scenario.when(scenario.deleted(40, ids.opportunity(OPPORTUNITY)))
    (write,) = scenario.asked(ArchiveDeal)
    held = WriteHeld(
        id=scenario.fact_id(), at=at(50), stream=write.stream, write_id=write.id, reason="many"
    )
    scenario.given(held)

    scenario.when(scenario.cancelled(write, 60, "an operator discarded it", RuleId.DELETE_FUSE))

    assert set() == scenario.issues(ids.deal(DEAL))
