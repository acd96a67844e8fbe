"""What the operators of the engine ask of it, beside its policy: imports, resumes, unlinks."""

from collections.abc import Sequence
from typing import Final

from adapters.clock import FixedClock
from adapters.sandbox.front import Front
from adapters.simulation.dice import Dice, weighted
from adapters.simulation.stores import Stores
from domain import events, facts, ids
from domain.facts import Request
from domain.ids import CATALOG_STREAM, Crm, FactId, Kind, Ref
from domain.ports import KeyedFact, Refresh, Topic

_OBJECTS: Final = {Kind.OPPORTUNITY: "Opportunity", Kind.ACCOUNT: "Account"}


class Operators:
    """Those who look after the engine.

    Args:
        stores: where requests and wishes go.
        salesforce: where imports choose their records.
        clock: ours.
    """

    def __init__(self, stores: Stores, salesforce: Front, clock: FixedClock) -> None:
        self._stores = stores
        self._salesforce = salesforce
        self._clock = clock
        #: opportunities that a person paired, took apart or brought back
        self.handled: set[str] = set()

    def work(self, dice: Dice) -> str:
        """Ask something of the engine; return it in words."""
        what = weighted(
            dice, (("accounts", 2.0), ("opportunities", 1.0), ("resume", 2.0), ("unlink", 0.7))
        )
        match what:
            case "accounts":
                return self._import(Kind.ACCOUNT)
            case "opportunities":
                return self._import(Kind.OPPORTUNITY)
            case _:
                return self._request(what, dice)

    def ask(self, key: str, request: Request) -> None:
        """Put a request into the log."""
        self._stores.log.append([KeyedFact(Topic.REQUESTS, key, request)])

    def retry_parked(self) -> None:
        """Have every parked fact decided again."""
        streams = {
            stored.event.stream
            for stored in self._stores.decisions.events
            if isinstance(stored.event, events.FactParked)
        }
        for stream in sorted(streams):
            request = self.request_id("retry", stream)
            self.ask(stream, facts.FactsRetried(id=request, at=self._clock.at, stream=stream))

    def request_id(self, *words: str) -> FactId:
        """Return the id of a request that is made now."""
        return FactId(ids.derived("request", *words, self._clock.at.isoformat()))

    def _import(self, kind: Kind) -> str:
        rows = self._salesforce.box.tables.rows(_OBJECTS[kind])
        record_ids = [key for key, row in rows.items() if not row["IsDeleted"]]
        if not record_ids:
            return ""
        at, request = self._clock.at, self.request_id("import", kind)
        self._stores.refreshes.add(
            [Refresh(Crm.SALESFORCE, kind, one, "import", request, at) for one in record_ids]
        )
        asked = facts.ImportRequested(
            id=request, at=at, kind=kind, selection="import, all", count=len(record_ids)
        )
        self.ask(CATALOG_STREAM, asked)
        return f"imports {len(record_ids)} records: {kind}"

    def _request(self, action: str, dice: Dice) -> str:
        opportunities: Sequence[Ref] = [
            ref for ref in self._stores.decisions.identities if ref.kind is Kind.OPPORTUNITY
        ]
        if not opportunities:
            return ""
        ref = dice.choice(opportunities)
        stream = self._stores.decisions.identities[ref].stream
        request = self.request_id(action, stream)
        asked = facts.PairRequested(id=request, at=self._clock.at, stream=stream, action=action)
        self.ask(stream, asked)
        self.handled.add(ref.id)
        return f"asks to {action} the pair of opportunity {ref.id}"
