"""What stands in the way now: of a pair that never entered, and of writes that are not done.

An event says why a fact was not followed then; whether that holds still, and what else does, is
told by policy, catalog, suspensions and who runs. `Now` is one reading of those; the rest is pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.bootstrap.present import Moment, Present
from adapters.cli.session import Session, engine_holders
from adapters.cli.wording import CRM_NAMES
from domain.catalog import Catalog, Scope
from domain.deliveries import State
from domain.ids import Crm, WriteId
from domain.issues import BEYOND_LIMIT, DELETES_HELD
from domain.pair import Pair
from domain.policy import Policy
from domain.rules import RuleId
from domain.rules.links import is_disputed
from domain.rules.prerequisites import missing_permission
from domain.writes import Write
from projections.reading import WriteRow

#: writes of one pair that are looked up
WRITES_MAX: Final = 50
NO_ENGINE: Final = "no engine runs that sends it: `dealsync up` or `dealsync run`"


@dataclass(frozen=True, slots=True)
class Now:
    """What holds for every pair at this moment."""

    policy: Policy
    #: 0: none was ever adopted
    policy_version: int
    catalog: Catalog
    #: why nothing is written to a CRM, by which rule, and what to do
    paused: Mapping[Crm, tuple[RuleId, str]]
    #: whether somebody runs the loop that writes
    delivers: bool = True

    @property
    def deal_sync(self) -> bool:
        """Tell whether anything may cross."""
        return self.policy_version > 0 and self.policy.switches.deal_sync


def now_of(session: Session, at: datetime, present: Present | None = None) -> Now:
    """Read what holds at this moment; who asks often brings what he read before."""
    moment: Moment = (present or Present(session.stores)).moment()
    paused = {s.crm: (RuleId.SUSPEND, s.reason) for s in session.stores.brakes.suspensions(at)}
    missing = missing_permission(moment.catalog)
    if missing is not None:
        # Also where no engine runs that would have said so.
        paused |= dict.fromkeys(Crm, (RuleId.PERMISSION, missing))
    return Now(
        policy=moment.adopted.policy,
        policy_version=moment.adopted.policy_version,
        catalog=moment.catalog,
        paused=paused,
        delivers=engine_holders(session.home)["deliver"] is not None,
    )


def rows_of(session: Session, pair: Pair) -> dict[WriteId, WriteRow]:
    """Read what became of a pair's open writes."""
    found = (session.stores.views.write(write_id) for write_id in list(pair.open)[:WRITES_MAX])
    return {row.write_id: row for row in found if row is not None}


def why_outside(pair: Pair, now: Now) -> tuple[str, ...]:
    """Return every reason that holds now why a pair never entered, each with its rule."""
    return tuple(f"{rule}: {text}" for rule, text in _obstacles(pair, now))


def write_text(write: Write, row: WriteRow | None, now: Now) -> str:
    """Return how an open write stands, and what to do where it waits."""
    what = f"{write.OPERATION} in {CRM_NAMES[write.CRM]}"
    paused = now.paused.get(write.CRM)
    match State(row.state) if row is not None else State.PENDING:
        case State.HELD:
            return f"a write ({what}) is held: {DELETES_HELD.code}, {DELETES_HELD.fix}"
        case State.PENDING if paused is not None:
            return f"a write ({what}) waits: {paused[1]} (rule {paused[0]})"
        case State.PENDING if not now.delivers:
            return f"a write ({what}) waits: {NO_ENGINE}"
        case State.PENDING if row is not None and row.state_reason:
            return f"a write ({what}) waits and goes again by itself: {row.state_reason}"
        case State.UNKNOWN:
            return f"a write ({what}) had no answer: it is read what became of it"
        case _:
            return f"a write ({what}) is under way"


def _obstacles(pair: Pair, now: Now) -> Iterator[tuple[RuleId, str]]:
    if now.policy_version == 0:
        yield RuleId.DEAL_SYNC_SWITCH, "no policy is in force; `dealsync policy adopt`"
    elif not now.deal_sync:
        yield RuleId.DEAL_SYNC_SWITCH, "deal sync is off; set deal_sync = true and adopt the policy"
    for side in Crm:
        if pair.side(side).ids and pair.side(side).current is None:
            yield RuleId.TOMBSTONE, f"the record in {CRM_NAMES[side]} is deleted"
    yield from _out_of_scope(pair, now)
    if is_disputed(pair):
        yield RuleId.COPIED_LINK, "another record claims the same counterpart"
    for side in Crm:
        record = pair.side(side)
        if record.current is not None and record.note is None:
            yield RuleId.ADOPT, f"{record.current} in {CRM_NAMES[side]} is still to be read"
    if pair.was_paired:
        yield RuleId.ONCE_PAIRED, "it had a counterpart before; import or resume it"
    else:
        yield from _no_trigger(pair)
    for crm, (rule, why) in now.paused.items():
        yield rule, f"nothing is written to {CRM_NAMES[crm]} meanwhile: {why}"


def _out_of_scope(pair: Pair, now: Now) -> Iterator[tuple[RuleId, str]]:
    if pair.record_type_id is not None:
        match now.catalog.scope_of(pair.record_type_id, now.policy):
            case Scope.BEYOND_LIMIT:
                why = f"record type {pair.record_type_id} is beyond the pipeline limit"
                yield RuleId.PIPELINE_LIMIT, f"{why}; {BEYOND_LIMIT.fix}"
            case Scope.GONE:
                yield RuleId.RECORD_TYPE_GONE, f"record type {pair.record_type_id} is not active"
            case Scope.READY | Scope.NOT_READY:
                pass
    pipeline_id = pair.pipeline_id
    if pipeline_id is not None and now.catalog.record_type_of(pipeline_id, now.policy) is None:
        yield RuleId.PIPELINE_SCOPE, f"pipeline {pipeline_id} is not synced"


def _no_trigger(pair: Pair) -> Iterator[tuple[RuleId, str]]:
    opportunity, deal = pair.salesforce.current, pair.hubspot.current
    if opportunity is not None:
        how = f"or by `dealsync import opportunities --ids {opportunity}`"
        yield (
            RuleId.ENTRY_SALESFORCE,
            f"it existed before; it enters when a synced field is edited in Salesforce, {how}",
        )
    elif deal is not None:
        how = f"or by `dealsync sync {deal}`"
        yield (
            RuleId.ENTRY_HUBSPOT,
            f"it existed before; it enters when a synced property is edited in HubSpot, {how}",
        )
