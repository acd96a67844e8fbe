"""Laws that hold over whole histories of a pair (rules `explain`, `replay-silent`, `order`)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from domain import deciding, events, ids
from domain.pair import PairState
from domain.rules import RuleId
from domain.writes import UpdateDeal, Write
from tests.support.scenario import DEAL, OPPORTUNITY, Scenario

AMOUNTS = st.sampled_from(["1", "2", "3", None])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("salesforce"), AMOUNTS),
        st.tuples(st.just("hubspot"), AMOUNTS),
        st.tuples(st.just("out"), st.none()),
        st.tuples(st.just("back"), st.none()),
        st.tuples(st.just("delete deal"), st.none()),
        st.tuples(st.just("delete opportunity"), st.none()),
        st.tuples(st.just("undelete"), st.none()),
        st.tuples(st.just("role"), st.none()),
        st.tuples(st.just("association"), st.none()),
        st.tuples(st.just("resume"), st.none()),
        st.tuples(st.just("unlink"), st.none()),
        st.tuples(st.just("answer"), st.none()),
    ),
    max_size=8,
)

#: what shows a pair's state on its deal
STATUS = {"dealsync_link", "dealsync_state", "dealsync_synced_at", "dealsync_issue"}
PUT_BACK = {"pipeline", "dealstage"}


def played(steps: list[tuple[str, str | None]], scenario: Scenario | None = None) -> Scenario:
    """Let a live pair go through the steps, ten seconds apart."""
    scenario = (scenario or Scenario()).adopted().live()
    open_writes: list[Write] = []
    for n, (step, amount) in enumerate(steps):
        now = 100 + 10 * n
        times = {"amount": now - 1, "pipeline": now - 1, "dealstage": now - 1}
        match step:
            case "salesforce":
                scenario.when(scenario.opportunity(now, name="Acme Renewal", amount=amount))
            case "hubspot":
                scenario.when(scenario.deal(now, amount=amount, set_at=times, link=OPPORTUNITY))
            case "out":
                scenario.when(
                    scenario.deal(
                        now, pipeline_id="default", stage_id="x", set_at=times, link=OPPORTUNITY
                    )
                )
            case "back":
                scenario.when(scenario.deal(now, set_at=times, link=OPPORTUNITY))
            case "delete deal":
                scenario.when(scenario.deleted(now, ids.deal(DEAL)))
            case "delete opportunity":
                scenario.when(scenario.deleted(now, ids.opportunity(OPPORTUNITY)))
            case "undelete":
                scenario.when(scenario.opportunity(now, name="Acme Renewal", amount="9"))
            case "role":
                scenario.when(scenario.roles(now, f"003{n:012}"))
            case "association":
                scenario.when(scenario.associations(now, f"9{n}", company=f"5{n}"))
            case "resume" | "unlink":
                scenario.when(scenario.asks(now, step))
            case _ if open_writes:
                write = open_writes.pop(0)
                made = DEAL if not write.CREATES else f"77{n}"
                scenario.when(scenario.done(write, now, made))
            case _:
                continue
        open_writes.extend(scenario.writes())
    return scenario


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_every_event_names_its_fact_rule_and_policy(steps: list[tuple[str, str | None]]) -> None:
    scenario = played(steps)

    assert all(event.cause and event.rule in RuleId for event in scenario.history)
    assert all(event.policy_version >= 1 for event in scenario.history)
    assert RuleId.EXPLAIN


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_replaying_the_events_gives_the_same_states(steps: list[tuple[str, str | None]]) -> None:
    """Folding is a pure function of events: it asks nobody and writes nothing."""
    scenario = played(steps)
    again: dict[ids.StreamId, deciding.Aggregate] = {}

    for event in scenario.history:
        again[event.stream] = deciding.evolve(again.get(event.stream), event)

    assert scenario.states == again
    assert RuleId.REPLAY_SILENT


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_folding_leaves_the_state_before_as_it_was(steps: list[tuple[str, str | None]]) -> None:
    """A decision is made from a state that others hold too: a batch, another worker's attempt."""
    state: deciding.Aggregate | None = None
    scenario = played(steps)
    stream = scenario.pair().stream

    for event in [event for event in scenario.history if event.stream == stream]:
        was = repr(state)
        after = deciding.evolve(state, event)
        assert repr(state) == was
        state = after


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_a_stopped_pair_gets_no_write_but_its_put_back_and_its_status(
    steps: list[tuple[str, str | None]],
) -> None:
    scenario = played(steps)
    state: deciding.Aggregate | None = None

    for event in scenario.history:
        if event.stream != scenario.pair().stream:
            continue
        if isinstance(event, events.WriteDecided):
            stopped = getattr(state, "state", None) is PairState.STOPPED
            assert not stopped or names_of(event.write) <= PUT_BACK | STATUS
        state = deciding.evolve(state, event)


def names_of(write: Write) -> set[str]:
    """Return what a write sets; a write that is no update sets more than a stopped pair may."""
    if not isinstance(write, UpdateDeal):
        return {write.topic}
    return {change.name for change in write.fields}


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_versions_of_a_stream_have_no_gap(steps: list[tuple[str, str | None]]) -> None:
    scenario = played(steps)
    pair = scenario.pair()

    assert pair.version == len([e for e in scenario.history if e.stream == pair.stream])
