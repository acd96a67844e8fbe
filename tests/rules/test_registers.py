"""How observations join a register, in any order (rules `value-time`, `order`, `echo`)."""

import itertools
from datetime import timedelta

from domain import events
from domain.ids import WriteId
from domain.registers import Asked, Foreign, Lesson, Register, Seen, ask, close, learn, lesson
from domain.rules import RuleId
from domain.writes import UpdateDeal, UpdateOpportunity
from tests.support.scenario import OPPORTUNITY, Scenario, at

SKEW = timedelta(seconds=2)


def read(register: Register, value: str, *, set_at: float, begun: float) -> Register:
    """Join a reading that shows a value with its own time."""
    seen = Seen(value, at(set_at), at(set_at), exact=True, ours=False)
    what = lesson(register, seen, read_begun_at=at(begun), skew=SKEW)
    if what is None:
        return register
    foreign = Foreign(value, at(set_at), at(set_at))
    return learn(register, what, foreign=foreign, read_begun_at=at(begun))


def test_two_edits_join_alike_in_any_order_and_number() -> None:
    """Every order of: the first edit, the second, the second once more."""
    first = Register(seen=True, known="old", learned_at=at(0), foreign=Foreign("old", None, at(0)))
    readings = (("a", 10.0, 11.0), ("b", 20.0, 21.0), ("b", 20.0, 22.0))

    ends = set()
    for order in itertools.permutations(readings):
        register = first
        for value, set_at, begun in order:
            register = read(register, value, set_at=set_at, begun=begun)
        assert register.foreign is not None
        ends.add((register.known, register.foreign.value, register.foreign.high))

    assert {("b", "b", at(20))} == ends
    assert {RuleId.ORDER, RuleId.VALUE_TIME} <= set(RuleId)


def test_a_write_an_echo_and_a_late_read_end_alike_in_any_order() -> None:
    asked = Asked(WriteId("w"), "ours", None)
    first = ask(Register(seen=True, known="old", learned_at=at(0)), asked)

    def answer(register: Register) -> Register:
        return close(register, WriteId("w"), sent_at=at(10), answered_at=at(11))

    def echo(register: Register) -> Register:
        return read(register, "ours", set_at=10.5, begun=12)

    def late(register: Register) -> Register:
        return read(register, "old", set_at=-5, begun=9)

    ends = set()
    for order in itertools.permutations((answer, echo, late)):
        register = first
        for step in order:
            register = step(register)
        ends.add((register.believed, register.fresh))

    assert {("ours", False)} == ends


def test_an_edit_that_our_write_went_over_is_not_forgotten() -> None:
    """A poll that began before the answer shows a value that is neither the old one nor ours."""
    scenario = Scenario().adopted().live()
    times = {"amount": 38}
    scenario.when(scenario.deal(40, amount="7", set_at=times, link=OPPORTUNITY))
    (write,) = scenario.asked(UpdateOpportunity)
    scenario.given(scenario.done(write, 50))

    scenario.when(scenario.opportunity(49, name="Acme Renewal", amount="8"))

    (settled,) = [e for e in scenario.told(events.FieldSettled) if e.field == "amount"]
    assert (settled.salesforce, settled.how) == ("8", "ambiguous")
    amounts = [c.after for w in scenario.asked(UpdateDeal) for c in w.fields if c.field == "amount"]
    assert amounts == ["8"]


def test_a_poll_from_before_the_answer_that_shows_the_old_value_teaches_nothing() -> None:
    scenario = Scenario().adopted().live()
    scenario.when(scenario.deal(40, amount="7", set_at={"amount": 38}, link=OPPORTUNITY))
    (write,) = scenario.asked(UpdateOpportunity)
    scenario.given(scenario.done(write, 50))

    scenario.when(scenario.opportunity(49, name="Acme Renewal", amount="1200"))

    assert scenario.writes() == ()


def test_a_value_of_ours_that_a_later_write_replaces_is_no_edit() -> None:
    """Its answer was lost, and before that is settled another value has been decided (`echo`)."""
    scenario = Scenario().adopted().live()
    scenario.when(scenario.deal(40, amount="7", set_at={"amount": 38}, link=OPPORTUNITY))
    scenario.when(scenario.deal(45, amount="8", set_at={"amount": 44}, link=OPPORTUNITY))
    (second,) = scenario.asked(UpdateOpportunity)

    scenario.when(scenario.opportunity(46, name="Acme Renewal", amount="7", modified_at=at(43)))

    assert scenario.writes() == ()
    assert {c.after for c in second.fields} == {"8"}
    assert scenario.pair().field("amount").salesforce.believed == "8"


def test_the_write_before_stands_where_the_later_one_is_given_up() -> None:
    first, second = Asked(WriteId("1"), "a", None), Asked(WriteId("2"), "b", None)
    register = ask(ask(Register(seen=True, known="old"), first), second)

    given_up = close(register, WriteId("2"), sent_at=None, answered_at=None)
    done = close(given_up, WriteId("1"), sent_at=at(10), answered_at=at(11))

    assert [r.believed for r in (register, given_up, done)] == ["b", "a", "a"]
    assert done.asked is None


def test_a_value_on_its_way_is_no_rewriting_of_the_one_before() -> None:
    """Its CRM rewrites such a field at times, and the later write went out right after."""
    register = ask(Register(seen=True, known="old"), Asked(WriteId("first"), "a", None))
    register = close(register, WriteId("first"), sent_at=at(10), answered_at=at(11))
    register = ask(register, Asked(WriteId("second"), "b", None))
    echo = Seen("b", at(12), at(12), exact=True, ours=True, may_rewrite=True)

    assert lesson(register, echo, read_begun_at=at(14), skew=SKEW) is Lesson.KNOWN


def test_writes_of_one_call_end_at_the_last_value_however_they_are_answered() -> None:
    first, second = Asked(WriteId("1"), "a", None), Asked(WriteId("2"), "b", None)
    opened = ask(ask(Register(seen=True, known="old", learned_at=at(0)), first), second)

    ends = set()
    for order in itertools.permutations(("1", "2")):
        register = opened
        for write_id in order:
            register = close(register, WriteId(write_id), sent_at=at(10), answered_at=at(11))
        ends.add((register.believed, register.asked, register.earlier, register.replaced))

    assert {("b", None, (), "old")} == ends


def test_an_edit_that_shows_before_our_answer_is_not_written_once_more() -> None:
    """A second write of a person's own value would go over what that person does next."""
    scenario = Scenario().adopted().live()
    scenario.given(scenario.opportunity(40, name="Acme Renewal", type="Existing Business"))
    kept = {"name": "Acme Renewal", "link": OPPORTUNITY}

    scenario.when(scenario.deal(50, type="newbusiness", set_at={"dealtype": 49}, **kept))
    scenario.given(scenario.deal(51, type=None, set_at={"dealtype": 50.5}, **kept))

    types = [c.after for w in scenario.all_asked(UpdateDeal) for c in w.fields if c.field == "type"]
    assert types == ["existingbusiness"]
    assert scenario.pair().field("type").hubspot.believed is None
