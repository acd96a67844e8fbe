"""What an import did with each record, told by the events that its reading caused: pure.

| opportunity | counts as |
|---|---|
| entered, its deal was created, or its create is on its way | created |
| entered, but the create was refused, or called off | refused, by what the CRM or we say |
| entered, but the create waits for a permission or a paused CRM | waiting |
| entered, something required is missing | waiting |
| entered, its counterpart was there already | adopted |
| detached, and named | resumed |
| live, whether or not something differed | reconciled |
| stopped, waiting, deleted, detached, beyond the limit, … | skipped, by reason |
| deal sync is off | off |

| account | counts as |
|---|---|
| its company was known, or is found | linked |
| its company was created, or its create is on its way | created |
| the create was refused, or called off | refused |
| more than one may be its company | ambiguous |
| company sync is off | off |
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain import events, issues, writes
from domain.events import Event
from domain.rules import RuleId
from domain.writes import Write

CREATED: Final = "created"
WAITING: Final = "waiting"
ADOPTED: Final = "adopted"
RESUMED: Final = "resumed"
RECONCILED: Final = "reconciled"
LINKED: Final = "linked"
AMBIGUOUS: Final = "ambiguous"
NOT_FOUND: Final = "not_found"
PARKED: Final = "parked"
#: deal sync, or for accounts company sync, is off
OFF: Final = "off"

#: a create that came to nothing, with the words for it
REFUSED_PREFIX: Final = "refused: "
#: as rule `import` says it
SKIPPED_PREFIX: Final = "skipped: "
#: a pair that waits is weighed anew each time, and says so without a create
_BEFORE_CREATION: Final = (RuleId.CREATED_WITH,)
_CREATES: Final = (writes.CreateDeal, writes.CreateOpportunity, writes.CreateCompany)
_OFF_RULES: Final = (RuleId.ENABLE_BEFORE_IMPORT, RuleId.DEAL_SYNC_SWITCH)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records ended how."""

    by_outcome: Mapping[str, int]
    #: reason → how many
    skipped: Mapping[str, int] = field(default_factory=dict)
    #: what a CRM, or we, said of creates that came to nothing → how many
    refused: Mapping[str, int] = field(default_factory=dict)

    def of(self, outcome: str) -> int:
        """Return how many ended so."""
        return self.by_outcome.get(outcome, 0)


def counted(outcomes: Iterable[str]) -> Counts:
    """Count outcomes; whatever is no word of ours is a reason for skipping."""
    words = (CREATED, WAITING, ADOPTED, RESUMED, RECONCILED, LINKED, AMBIGUOUS, NOT_FOUND, PARKED)
    found = Counter(outcomes)
    rest = {reason: n for reason, n in sorted(found.items()) if reason not in (*words, OFF)}
    return Counts(
        by_outcome={word: found[word] for word in (*words, OFF) if found[word]},
        skipped={why: n for why, n in rest.items() if not why.startswith(REFUSED_PREFIX)},
        refused={
            why.removeprefix(REFUSED_PREFIX): n
            for why, n in rest.items()
            if why.startswith(REFUSED_PREFIX)
        },
    )


def create_of(told: Sequence[Event]) -> Write | None:
    """Return the create of a counterpart that these events decide, or None."""
    asked = (e.write for e in told if isinstance(e, events.WriteDecided))
    return next((write for write in asked if isinstance(write, _CREATES)), None)


def of_create(closed: events.WriteClosed | None, *, paused: bool) -> str:
    """Return how a record ended whose counterpart was to be created.

    Args:
        closed: what became of the create; None: it is not closed yet.
        paused: whether nothing is written to its CRM now.
    """
    if closed is None or closed.outcome in ("unknown", "held"):
        return WAITING if paused else CREATED
    if closed.outcome == "done":
        return CREATED
    told = " ".join(word for word in (closed.code, closed.message) if word)
    return f"{REFUSED_PREFIX}{told or closed.outcome}"


def of_opportunity(told: Sequence[Event]) -> str:
    """Return how a record of a pair ended, given the events of its own reading."""
    entered = next((e for e in told if isinstance(e, events.SyncEntered)), None)
    if any(isinstance(e, events.FactParked) for e in told):
        return PARKED
    if any(isinstance(e, events.RecordBuried) for e in told):
        return "deleted"
    if create_of(told) is not None:
        return CREATED
    if entered is not None and entered.trigger == "resumed":
        return RESUMED
    if any(isinstance(e, events.CounterpartLinked) for e in told):
        return ADOPTED
    weighed = any(isinstance(e, events.FieldSettled) and e.rule in _BEFORE_CREATION for e in told)
    if entered is not None or weighed:
        return WAITING
    nothing = next((e for e in told if isinstance(e, events.NothingDecided)), None)
    return RECONCILED if nothing is None else _reason(nothing)


def of_account(told: Sequence[Event]) -> str | None:
    """Return how an account ended, given its stream's events since its reading; None: not yet."""
    for event in told:
        match event:
            case events.FactParked():
                return PARKED
            case events.RecordBuried():
                return "deleted"
            case events.AccountLinked():
                return LINKED
            case events.WriteDecided(write=writes.CreateCompany()):
                return CREATED
            case events.IssueOpened(code=issues.ACCOUNT_AMBIGUOUS.code):
                return AMBIGUOUS
            case events.NothingDecided():
                return _account_reason(event)
            case _:
                pass
    return None


def _reason(nothing: events.NothingDecided) -> str:
    if nothing.rule in _OFF_RULES:
        return OFF
    if nothing.reason.startswith(SKIPPED_PREFIX):
        return nothing.reason.removeprefix(SKIPPED_PREFIX)
    match nothing.rule:
        case RuleId.TRIGGER_FIELDS:
            return RECONCILED
        case RuleId.ADOPT:
            return ADOPTED
        case RuleId.PIPELINE_LIMIT:
            return "record type beyond the limit"
        case RuleId.TOMBSTONE:
            return "deleted"
        case _:
            return nothing.reason


def _account_reason(nothing: events.NothingDecided) -> str:
    if "company sync is off" in nothing.reason:
        return OFF
    if nothing.reason.startswith("it is linked to company"):
        return LINKED
    return nothing.reason
