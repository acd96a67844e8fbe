"""What is known of one field on one side, and how an observation joins it.

Per field and side a register holds the latest **foreign** value (a change by a person or another
program, with the time or interval in which it was made), what that side is **known** to hold, and
what an open write **asked** it to hold. `believed` is `asked` while a write is open, else `known`.
Writes are the difference between desired and believed, so our own values coming back decide
nothing: echoes fall out of the arithmetic (rule `echo`).

Joining (rules `value-time`, `order`): an observation teaches nothing when it was begun before what
is already known was learned; foreign values join by their time, so late, duplicate and reordered
observations lead to the same register. Two intervals that overlap are not ordered by this module:
the later *end* joins, and `rules.conflicts` says who wins over the other side.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.canonical import Value
from domain.copying import replace
from domain.ids import WriteId


class Lesson(StrEnum):
    """What an observation taught about a field."""

    #: first seen, or our own value, or what the side holds after all
    KNOWN = "known"
    #: a person or another program changed it
    CHANGED = "changed"
    #: the CRM did not take the value that we wrote (rule `not-taken`)
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True)
class Foreign:
    """A change that we did not make."""

    value: Value
    #: made after this (None: nobody knows), by that CRM's clock
    low: datetime | None
    #: and not after this
    high: datetime
    by: str = ""
    #: the `high` of the other side's change that its author had before the eyes; None: none
    saw: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The last value of an unsettled write."""

    write_id: WriteId
    value: Value
    #: the `high` of the other side's change that this value stands for
    stands_for: datetime | None
    #: whether somebody changed the field since
    overtaken: bool = False


@dataclass(frozen=True, slots=True)
class Ours:
    """A value of ours that a side's history shows."""

    value: Value


@dataclass(frozen=True, slots=True)
class Delivered:
    """The last value that a CRM took from us."""

    write_id: WriteId
    value: Value
    stands_for: datetime | None
    #: our clock, before the call and after its answer
    sent_at: datetime
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """One field as an observation shows it, canonical."""

    value: Value
    low: datetime | None
    high: datetime
    #: whether the CRM gives the value's own time
    exact: bool
    #: whether the CRM's own tag says that we set it
    ours: bool
    #: whether the CRM's own tag says that its automation set it
    automatic: bool = False
    #: whether the CRM is known to rewrite this field in our own call
    may_rewrite: bool = False
    #: whether the record's last author is us (no evidence by itself)
    record_ours: bool = False
    by: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    """One field on one side."""

    seen: bool = False
    known: Value = None
    #: our clock: what is known was true then, or later
    learned_at: datetime | None = None
    foreign: Foreign | None = None
    #: whether the foreign value has not been settled yet
    fresh: bool = False
    asked: Asked | None = None
    #: what other open writes asked for, oldest first: another followed, or an edit overtook them
    earlier: tuple[Asked, ...] = ()
    delivered: Delivered | None = None
    #: what was known before our own value
    replaced: Value = None
    #: when the latest known value that was not ours had been set, where the CRM says so
    known_set_at: datetime | None = None
    #: how often the CRM did not take our value
    rewritten: int = 0

    @property
    def believed(self) -> Value:
        """Return what that side holds, or will once the open write is done."""
        return self.asked.value if self.asked is not None else self.known

    @property
    def on_their_way(self) -> tuple[Value, ...]:
        """Return what open writes asked for: that side may hold any of it by now."""
        asked = (*self.earlier, self.asked) if self.asked is not None else self.earlier
        return tuple(one.value for one in asked)


def lesson(
    register: Register, seen: Seen, *, read_begun_at: datetime, skew: timedelta
) -> Lesson | None:
    """Tell what an observation teaches; None: nothing.

    Args:
        register: what is known so far.
        seen: the field as it was read.
        read_begun_at: our clock, before the read went out.
        skew: how far that CRM's clock may be from ours.
    """
    if not register.seen and register.asked is None:
        return Lesson.KNOWN
    stale = register.learned_at is not None and read_begun_at < register.learned_at
    if seen.ours:
        if seen.may_rewrite and not stale and _in_our_attempt(register, seen, skew):
            return Lesson.REWRITTEN
        return None if stale or seen.value == register.known else Lesson.KNOWN
    if seen.value == register.known or seen.value in register.on_their_way:
        return _same_value(register, seen, stale=stale)
    if stale and not _was_overwritten(register, seen):
        return None
    if seen.exact and register.foreign is not None and seen.high <= register.foreign.high:
        return None if stale else Lesson.KNOWN
    if _in_our_attempt(register, seen, skew) or _in_open_attempt(register, seen):
        return Lesson.REWRITTEN
    return Lesson.CHANGED


def is_news(register: Register, overwritten: Seen) -> bool:
    """Tell whether what our newest value went over was never read: nobody weighed it.

    Args:
        register: what is known so far.
        overwritten: somebody's value with its own time, as the CRM's history shows it.
    """
    believed = (register.known, register.replaced, *register.on_their_way)
    if register.delivered is not None:
        believed = (*believed, register.delivered.value)
    if not register.seen or overwritten.value in believed:
        return False
    if register.foreign is not None and overwritten.high <= register.foreign.high:
        return False
    return register.known_set_at is None or overwritten.high > register.known_set_at


def comes_too_early(register: Register, value: Value, read_begun_at: datetime) -> bool:
    """Tell whether a reading that shows a write of ours may show what the CRM made of this value.

    It shows another value than the one on its way, or one that was answered only after it began.
    """
    if register.asked is not None:
        return value not in register.on_their_way
    delivered = register.delivered
    return (
        delivered is not None
        and read_begun_at < delivered.answered_at
        and value not in (delivered.value, register.known)
    )


def learn(
    register: Register,
    what: Lesson,
    *,
    foreign: Foreign,
    read_begun_at: datetime,
    followed: Ours | None = None,
    overwritten: bool = False,
) -> Register:
    """Join an observation of which `lesson` said what it teaches.

    Args:
        register: what is known so far.
        what: what it teaches.
        foreign: the value, its time and its author.
        read_begun_at: our clock, before the read went out.
        followed: the value of ours that its author had before the eyes, where the CRM tells.
        overwritten: whether our own value went over it before it was read.
    """
    if overwritten:
        return replace(register, foreign=foreign, fresh=True)
    learned_at = max(register.learned_at or read_begun_at, read_begun_at)
    set_at = foreign.high if foreign.low == foreign.high else register.known_set_at
    if what is Lesson.KNOWN:
        register = replace(register, seen=True, learned_at=learned_at)
        if foreign.value in register.on_their_way:
            return replace(register, known=foreign.value, replaced=register.known)
        if register.delivered is not None and foreign.value == register.delivered.value:
            return replace(register, known=foreign.value)
        return replace(register, known=foreign.value, known_set_at=set_at)
    # What the CRM made of our value came after it, whenever the reading was begun.
    rewritten = what is Lesson.REWRITTEN
    stale = register.learned_at is not None and read_begun_at < register.learned_at
    stale = stale and not rewritten
    if what is Lesson.CHANGED and not stale:
        foreign = _after(register.foreign, foreign)
    if register.delivered is not None and read_begun_at >= register.delivered.answered_at:
        foreign = replace(foreign, saw=register.delivered.stands_for)
    if followed is not None:
        foreign = replace(foreign, saw=_latest(foreign.saw, _stood_for(register, followed)))
    if what is Lesson.CHANGED and not stale and register.asked is not None:
        # Sent before that change, it is over; unsent, it is called off: it finds another value.
        overtaken = replace(register.asked, overtaken=True)
        register = replace(register, asked=None, earlier=(*register.earlier, overtaken))
    return replace(
        register,
        seen=True,
        known=register.known if stale else foreign.value,
        learned_at=learned_at,
        foreign=foreign,
        fresh=True,
        known_set_at=register.known_set_at if stale else set_at,
        rewritten=register.rewritten + (1 if rewritten else 0),
    )


def _after(before: Foreign | None, foreign: Foreign) -> Foreign:
    """Return a change as later than the one that was read before it.

    Salesforce stamps whole seconds: two changes can have one stamp, and whoever saw the first did
    not see the second.
    """
    if before is None or foreign.high > before.high:
        return foreign
    return replace(foreign, high=before.high + timedelta.resolution)


def _stood_for(register: Register, ours: Ours) -> datetime | None:
    """Return which change of the other side our value stood for; its answer may be to come."""
    asked = (*register.earlier, register.asked)
    found = [a.stands_for for a in asked if a is not None and a.value == ours.value]
    if register.delivered is not None and register.delivered.value == ours.value:
        found.append(register.delivered.stands_for)
    return max((at for at in found if at is not None), default=None)


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((at for at in (one, other) if at is not None), default=None)


def ask(register: Register, asked: Asked) -> Register:
    """Open a write of that field."""
    before = (register.asked,) if register.asked is not None else ()
    return replace(register, asked=asked, earlier=(*register.earlier, *before))


def close(
    register: Register, write_id: WriteId, *, sent_at: datetime | None, answered_at: datetime | None
) -> Register:
    """Close an open write; with times it was done, without it was not."""
    asked = register.asked
    if asked is None or asked.write_id != write_id:
        return _close_earlier(register, write_id, sent_at=sent_at, answered_at=answered_at)
    if sent_at is None or answered_at is None:
        # The write before it, if any, is the one that side was last asked by.
        if register.earlier and not register.earlier[-1].overtaken:
            return replace(register, asked=register.earlier[-1], earlier=register.earlier[:-1])
        return replace(register, asked=None)
    register = _deliver(register, asked, sent_at=sent_at, answered_at=answered_at)
    return replace(register, asked=None, earlier=())


def _close_earlier(
    register: Register, write_id: WriteId, *, sent_at: datetime | None, answered_at: datetime | None
) -> Register:
    """Close an open write that another one followed: what was asked for since still stands."""
    asked = next((one for one in register.earlier if one.write_id == write_id), None)
    if asked is None:
        return register
    rest = tuple(one for one in register.earlier if one is not asked)
    register = replace(register, earlier=rest)
    if sent_at is None or answered_at is None:
        return register
    return _deliver(register, asked, sent_at=sent_at, answered_at=answered_at)


def _deliver(
    register: Register, asked: Asked, *, sent_at: datetime, answered_at: datetime
) -> Register:
    """Take what a done write asked for as known, unless a later reading shows more."""
    overtaken = register.learned_at is not None and register.learned_at > answered_at
    overtaken = overtaken or _rewritten_since(register, sent_at)
    in_one_call = register.delivered is not None and register.delivered.sent_at == sent_at
    kept = in_one_call or register.known == asked.value
    return replace(
        register,
        seen=True,
        known=register.known if overtaken else asked.value,
        learned_at=max(register.learned_at or answered_at, answered_at),
        replaced=register.replaced if kept else register.known,
        delivered=Delivered(asked.write_id, asked.value, asked.stands_for, sent_at, answered_at),
    )


def settle(register: Register) -> Register:
    """Mark the foreign value as taken into account."""
    return replace(register, fresh=False) if register.fresh else register


def _same_value(register: Register, seen: Seen, *, stale: bool) -> Lesson | None:
    """A value that is already believed: our echo, or a person who chose it once more."""
    since = register.foreign.high if register.foreign is not None else None
    again = (
        seen.exact
        and since is not None
        and seen.high > since
        and (register.delivered is None or seen.high > register.delivered.answered_at)
        and register.asked is None
    )
    if again:
        return Lesson.CHANGED
    return Lesson.KNOWN if not stale and seen.value != register.known else None


def _was_overwritten(register: Register, seen: Seen) -> bool:
    """Tell whether a reading that is too old for what is known shows an edit that we went over.

    It shows neither what was known before our value nor our value, and it was set after everything
    that was read of other people's: somebody edited between the look and the write.
    """
    ours = [register.delivered.value] if register.delivered is not None else []
    if register.asked is not None:
        ours.append(register.asked.value)
    if not ours or seen.value in (*ours, register.replaced, register.known):
        return False
    if register.foreign is not None and seen.high <= register.foreign.high:
        return False
    if seen.exact:
        return register.known_set_at is None or seen.high > register.known_set_at
    delivered = register.delivered
    return delivered is not None and register.learned_at == delivered.answered_at


def _in_our_attempt(register: Register, seen: Seen, skew: timedelta) -> bool:
    """Tell whether the CRM itself put another value while it took ours."""
    delivered = register.delivered
    if delivered is None or seen.value in (delivered.value, *register.on_their_way):
        return False
    if not (seen.automatic or seen.ours or (seen.record_ours and not seen.exact)):
        return False  # a person or another program, right after us
    return delivered.sent_at - skew <= seen.high <= delivered.answered_at + skew


def _in_open_attempt(register: Register, seen: Seen) -> bool:
    """Tell whether a rewriting of what an open write asks for was read before its answer."""
    return register.asked is not None and seen.may_rewrite and seen.automatic and seen.exact


def _rewritten_since(register: Register, sent_at: datetime) -> bool:
    """Tell whether what is known is what the CRM made of a value sent then."""
    foreign = register.foreign
    return foreign is not None and foreign.by == Lesson.REWRITTEN and foreign.high >= sent_at
