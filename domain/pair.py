"""One Salesforce opportunity and its HubSpot deal: the aggregate's state.

How events fold into it is in `pair_history`; what to decide is in `pairing` (the order of the
steps) and `rules` (each behaviour).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from domain import events
from domain.canonical import Value
from domain.copying import replace
from domain.facts import ContactAssociation, ContactRole
from domain.ids import Crm, Kind, StreamId, WriteId
from domain.mapping import STAGE
from domain.registers import Register
from domain.writes import (
    Write,
)

_NO_REGISTER = Register()


class PairState(StrEnum):
    """The one state that a pair has; the same words in JSON, tables and `dealsync_state`."""

    #: seen, never entered
    OUTSIDE = "outside"
    #: entered, its counterpart cannot be created yet
    WAITING = "waiting"
    #: both exist and sync
    LIVE = "live"
    #: the deal is out of the synced pipelines
    STOPPED = "stopped"
    #: nothing crosses until a person says so
    DETACHED = "detached"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What both sides should hold of a field, each in its own terms."""

    salesforce: Value
    hubspot: Value
    winner: Crm | None

    def on(self, side: Crm) -> Value:
        """Return the side's value."""
        return self.salesforce if side is Crm.SALESFORCE else self.hubspot


@dataclass(frozen=True, slots=True)
class Held:
    """Why a field is not written on a side."""

    code: str
    detail: str
    value: Value


@dataclass(frozen=True, slots=True)
class FieldState:
    """One mapped field of a pair."""

    salesforce: Register = _NO_REGISTER
    hubspot: Register = _NO_REGISTER
    base: Agreed | None = None
    held: Mapping[Crm, Held] = field(default_factory=dict)

    def on(self, side: Crm) -> Register:
        """Return the side's register."""
        return self.salesforce if side is Crm.SALESFORCE else self.hubspot

    def with_register(self, side: Crm, register: Register) -> "FieldState":
        """Replace one side's register."""
        if side is Crm.SALESFORCE:
            return replace(self, salesforce=register)
        return replace(self, hubspot=register)


@dataclass(frozen=True, slots=True)
class Side:
    """What is known of one side's record."""

    #: the living record; None: none
    current: str | None = None
    #: every id this side ever had → whether it lives
    ids: Mapping[str, bool] = field(default_factory=dict)
    #: our clock: begin of the latest read of the whole record
    read_at: datetime | None = None
    #: our clock: begin of the latest read that showed it deleted
    buried_at: datetime | None = None
    note: events.SideNote | None = None
    #: the create that is under way; None: none
    creating: WriteId | None = None
    #: the record's stamp when it was last asked to be read again
    asked_again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unseen:
    """A done write that its CRM has not shown yet."""

    write_id: WriteId
    side: Crm
    answered_at: datetime
    #: which reading shows it: `fields`, `links` (roles, associations), or `deletion`
    part: str = "fields"


@dataclass(frozen=True, slots=True)
class Pair:
    """The state of a pair's stream."""

    stream: StreamId
    version: int = 0
    state: PairState = PairState.OUTSIDE
    salesforce: Side = Side()
    hubspot: Side = Side()
    fields: Mapping[str, FieldState] = field(default_factory=dict)
    #: OpportunityContactRole rows as last read
    roles: tuple[ContactRole, ...] = ()
    roles_read_at: datetime | None = None
    associations: tuple[ContactAssociation, ...] = ()
    associations_read_at: datetime | None = None
    #: the deal's primary company
    company_id: Value = None
    #: contacts whose link is to cross: (the side it was added on, contact id of that side)
    crossing: frozenset[tuple[Crm, str]] = frozenset()
    #: contact links that we made: (the side we made it on, contact id of that side)
    made_links: frozenset[tuple[Crm, str]] = frozenset()
    #: contact links removed on a side and not dealt with yet
    removed_links: frozenset[tuple[Crm, str]] = frozenset()
    #: the company that we made the deal's primary one; None: none
    made_company: Value = None
    open: Mapping[WriteId, Write] = field(default_factory=dict)
    unseen: tuple[Unseen, ...] = ()
    #: writes refused whole: write topic → (code, message)
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: (code, subject) → text
    issues: Mapping[tuple[str, str], str] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    #: something was called off and has to be weighed again at the next look
    unsettled: bool = False
    #: whether it ever had both sides
    was_paired: bool = False
    #: whether a side has another record now, with which nothing is agreed yet
    adopting: bool = False
    #: whether an opportunity deletion put it into its state
    deleted_down: bool = False
    #: when the opportunity was deleted, by Salesforce's clock, if the pair was stopped then
    deleted_while_stopped: datetime | None = None
    #: the state that `dealsync_state` shows; None: none yet; blank: nobody knows
    shown_state: Value = None
    #: whether a person's stage has been put back since the deal moved out
    put_back: Value = None
    absorbed_into: StreamId | None = None
    summary: events.SummaryChanged | None = None
    parked: tuple[events.FactParked, ...] = ()

    def side(self, crm: Crm) -> Side:
        """Return one side."""
        return self.salesforce if crm is Crm.SALESFORCE else self.hubspot

    def with_side(self, crm: Crm, side: Side) -> "Pair":
        """Replace one side."""
        if crm is Crm.SALESFORCE:
            return replace(self, salesforce=side)
        return replace(self, hubspot=side)

    def field(self, name: str) -> FieldState:
        """Return the field's state; a field never seen has an empty one."""
        return self.fields.get(name, NO_FIELD)

    @property
    def record_type_id(self) -> Value:
        """Return the opportunity's record type as last read."""
        return self.salesforce.note.scope_id if self.salesforce.note is not None else None

    @property
    def pipeline_id(self) -> Value:
        """Return the deal's pipeline as last read."""
        return self.hubspot.note.scope_id if self.hubspot.note is not None else None

    @property
    def believed_pipeline_id(self) -> str:
        """Return where the deal is, or will be once its open write is done; blank: unknown."""
        stage = self.field(STAGE).hubspot.believed
        if stage is not None:
            return stage.partition("/")[0]
        return self.pipeline_id or ""

    def has_open(self, *kinds: type[Write]) -> bool:
        """Tell whether a write of one of these classes is not closed yet."""
        return any(isinstance(write, kinds) for write in self.open.values())


NO_FIELD = FieldState()
#: in `FieldFreed`: the writes that were refused whole
EVERY_FIELD: Final = "*"


def kind_of(side: Crm) -> Kind:
    """Return what a pair's record is on that side."""
    return Kind.OPPORTUNITY if side is Crm.SALESFORCE else Kind.DEAL
