"""Wherever a line breaks or the log is away, nothing is lost and nothing half counts."""

from collections.abc import Sequence

import pytest
from typing_extensions import override

from adapters.engine.ingest import Ingest
from adapters.http_transport import HttpRequest, HttpResponse, HttpTransport, NoAnswerError
from adapters.memory.change_log import MemoryChangeLog
from adapters.memory.refresh import MemoryRefreshes
from domain.errors import RetryableError
from domain.facts import (
    Fact,
    OpportunityObserved,
    RecordDeleted,
    RecordMerged,
    RolesObserved,
    SalesforceContactObserved,
)
from domain.ports import KeyedFact
from tests.salesforce.org import Org

#: more than an undisturbed run makes
CALLS = 60
STEPS_MAX = 60


class Breaking(HttpTransport):
    """Breaks at one call, before or after the org heard it."""

    def __init__(self, org: Org, at_call: int) -> None:
        """Make a line that breaks once."""
        self._inner = org.transport
        self._left = at_call

    @override
    def send(self, request: HttpRequest, *, timeout_seconds: float) -> HttpResponse:
        self._left -= 1
        if self._left == 0:
            raise NoAnswerError("the line broke")
        return self._inner.send(request, timeout_seconds=timeout_seconds)


class Away(MemoryChangeLog):
    """Is away once; what it was to append may or may not be there."""

    def __init__(self, at_append: int, *, keeps: bool) -> None:
        """Make a log that is away at one appending."""
        super().__init__()
        self._left = at_append
        self._keeps = keeps

    @override
    def append(self, facts: Sequence[KeyedFact]) -> None:
        self._left -= 1
        if self._left != 0 or self._keeps:
            super().append(facts)
        if self._left == 0:
            raise RetryableError("the log is away")


def _run(org: Org, log: MemoryChangeLog) -> list[Fact]:
    """Let people work and the loop run; the process is started anew after every trouble."""
    kept, doomed = org.opportunity("Kept"), org.opportunity("Doomed")
    first, second = org.contact("One", "1@example.com"), org.contact("Two", "2@example.com")
    role_id = org.role(kept, first)
    _steps(org, log)
    org.wait()
    org.update("Opportunity", kept, Name="Kept, edited")
    org.role(kept, second)
    _steps(org, log)
    org.wait()
    org.delete("OpportunityContactRole", role_id)
    org.delete("Opportunity", doomed)
    org.act("merge_contacts", winner=second, losers=[first])
    _steps(org, log)
    found = [logged.fact for logged in log.read({}, limit=10_000)]
    return sorted(found, key=lambda fact: getattr(fact, "read_begun_at", fact.at))


def _steps(org: Org, log: MemoryChangeLog) -> None:
    """Step through two undisturbed passes."""
    passes = 0
    ingest: Ingest | None = None
    for _ in range(STEPS_MAX):
        if ingest is None:
            org.source = org.new_source()
            ingest = Ingest(
                sources=(org.source,), log=log, refreshes=MemoryRefreshes(), bookmarks=org.bookmarks
            )
        was_due = org.source.due(org.at)
        ingest.step(org.at)
        if ingest.troubles:
            ingest = None
        elif was_due and not org.source.due(org.at):
            passes += 1
        if passes == 2:
            return
        org.wait(16)
    raise AssertionError("the passes do not end")


def _story(found: Sequence[Fact]) -> dict[str, object]:
    """Return what a reader of all facts ends up believing."""
    told: dict[str, object] = {}
    for fact in found:
        match fact:
            case OpportunityObserved():
                told[f"name {fact.opportunity_id}"] = next(
                    reading.value for reading in fact.readings if reading.name == "Name"
                )
            case RolesObserved():
                told[f"roles {fact.opportunity_id}"] = [role.contact_id for role in fact.roles]
            case RecordDeleted():
                told[f"deleted {fact.record_id}"] = True
            case RecordMerged():
                told[f"merged {fact.record_id}"] = fact.winner_id
            case SalesforceContactObserved():
                told[f"contact {fact.contact_id}"] = fact.email
            case _:
                pass
    return told


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, object]:
    return _story(_run(Org(), MemoryChangeLog()))


def test_an_undisturbed_run_tells_everything(undisturbed: dict[str, object]) -> None:
    kinds = sorted(key.split()[0] for key in undisturbed)

    assert kinds == ["contact", "contact", "deleted", "merged", *["name"] * 2, *["roles"] * 2]


@pytest.mark.parametrize("at_call", range(1, CALLS, 3))
def test_a_line_that_breaks_at_any_call(at_call: int, undisturbed: dict[str, object]) -> None:
    org = Org()
    org.ours = org.connection("integration@sandbox.example", Breaking(org, at_call))

    assert _story(_run(org, MemoryChangeLog())) == undisturbed


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("at_append", range(1, 5))
def test_a_log_that_is_away_at_any_appending(
    at_append: int, *, keeps: bool, undisturbed: dict[str, object]
) -> None:
    assert _story(_run(Org(), Away(at_append, keeps=keeps))) == undisturbed
