"""What a CRM should do: an inline fold of events, one row a decided write.

A row is an intent and never a call: what became of it is kept by `deliver` in tables of its own,
so folding this again can reach no CRM (rule `replay-silent`).
"""

from dataclasses import dataclass
from datetime import datetime

from domain import events
from domain.copying import replace
from domain.ids import Crm, StreamId, WriteId
from domain.ports import StoredEvent
from domain.rules import RuleId
from domain.writes import Write


@dataclass(frozen=True, slots=True)
class OutboundWrite:
    """One decided write."""

    write: Write
    stream: StreamId
    #: place of the deciding event in its stream
    version: int
    rule: RuleId
    reason: str
    ambiguous: bool
    #: id of the fact that was decided
    cause: str
    policy_version: int
    #: our clock
    decided_at: datetime
    #: None: it is wanted
    withdrawn_reason: str | None = None

    @property
    def write_id(self) -> WriteId:
        """Return the write's id."""
        return self.write.id

    @property
    def crm(self) -> Crm:
        """Return the CRM that is to do it."""
        return self.write.CRM

    @property
    def operation(self) -> str:
        """Return the verb of the audit line."""
        return self.write.OPERATION


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A write is not wanted any more."""

    write_id: WriteId
    reason: str


def change(stored: StoredEvent, decided_at: datetime) -> OutboundWrite | Withdrawal | None:
    """Return the row that an event adds, the withdrawal that it says, or None."""
    event = stored.event
    match event:
        case events.WriteDecided():
            return OutboundWrite(
                write=event.write,
                stream=stored.stream,
                version=stored.version,
                rule=event.rule,
                reason=event.reason,
                ambiguous=event.ambiguous,
                cause=event.cause,
                policy_version=event.policy_version,
                decided_at=decided_at,
            )
        case events.WriteWithdrawn():
            return Withdrawal(event.write_id, event.reason)
        case _:
            return None


def fold(rows: dict[WriteId, OutboundWrite], changed: OutboundWrite | Withdrawal | None) -> None:
    """Add a row, or mark one as withdrawn; a withdrawal of no row changes nothing.

    Args:
        rows: changed in place.
        changed: what `change` returned.
    """
    match changed:
        case OutboundWrite():
            assert changed.write_id not in rows, f"write {changed.write_id} was decided before"
            rows[changed.write_id] = changed
        case Withdrawal(write_id, reason):
            if write_id in rows:
                rows[write_id] = replace(rows[write_id], withdrawn_reason=reason)
        case None:
            pass
