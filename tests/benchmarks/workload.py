"""What the benchmark lets happen: a company's pairs, then its ordinary day.

The day goes in waves, as batches of a busy sync do: people edit records on both sides and open a
few new opportunities; then the outcomes of our writes arrive; then our own writes are read back,
which are the echoes, a third of all facts. Every write named in an outcome is one that the rules
decided, so the facts come from running the domain once, in memory.

Nothing here is random and nothing reads a clock: the same arguments give the same facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from domain import ids
from domain.facts import Fact, PolicyProposed
from domain.policy import Policy
from domain.ports import KeyedFact, Topic
from domain.writes import Write
from tests.support.scenario import Scenario, at, hubspot_catalog, salesforce_catalog

#: our clock in every decision: after the last fact
DECIDED_AT: Final = at(10_000_000)
#: records that people touch in one wave; the new ones among them are about 2 % of its facts
WAVE_EDITS: Final = 93
WAVE_NEW: Final = 7
#: a prime, so that the waves stride over all pairs
STRIDE: Final = 61
#: within a wave
OUTCOME_AFTER, LINKED_AFTER, ECHO_AFTER, WAVE_SECONDS = 20, 40, 60, 100
#: our name of a value → the deal's property; these are edited in turn
EDITED: Final[Mapping[str, str]] = {
    "name": "dealname",
    "amount": "amount",
    "close_date": "closedate",
    "description": "description",
}
#: what a created deal gets from us beside them
CREATED: Final = ("dealname", "amount", "closedate", "dealstage", "hubspot_owner_id", "dealtype")


@dataclass(frozen=True, slots=True)
class Workload:
    """Facts in the order in which they happened."""

    #: policy, catalogs, and pairs created: decided before anything is measured
    before: tuple[Fact, ...]
    #: keyed by pair, so that each pair's facts keep their order
    measured: tuple[KeyedFact, ...]


def workload(*, pairs: int, waves: int) -> Workload:
    """Return the facts of a company.

    Args:
        pairs: created before; each is an opportunity and its deal.
        waves: of `WAVE_EDITS` edits and `WAVE_NEW` new pairs each, some 310 facts.
    """
    day = _Day()
    day.tell(
        "before",
        PolicyProposed(id=day.scenario.fact_id(), at=at(0), policy=Policy(), text="", replaces=0),
    )
    day.tell("before", salesforce_catalog())
    day.tell("before", hubspot_catalog())
    for begun in range(0, pairs, WAVE_EDITS):
        day.wave([], new=min(WAVE_EDITS, pairs - begun))
    before = tuple(keyed.fact for keyed in day.told)
    day.told.clear()
    for wave in range(waves):
        numbers = range(wave * WAVE_EDITS, (wave + 1) * WAVE_EDITS)
        day.wave([number * STRIDE % pairs for number in numbers], new=WAVE_NEW)
    return Workload(before, tuple(day.told))


@dataclass
class _Records:
    """An opportunity and its deal, as both CRMs hold them."""

    number: int
    values: dict[str, str | None]
    #: by the deal's property: when it was set, and whether by us
    set_at: dict[str, float] = field(default_factory=dict)
    ours: set[str] = field(default_factory=set)

    @property
    def opportunity_id(self) -> str:
        return ids.salesforce_id(f"006{self.number:012d}")

    @property
    def deal_id(self) -> str:
        return str(90_000_000 + self.number)


class _Day:
    """The two CRMs and their people, with the domain deciding what we write."""

    def __init__(self) -> None:
        self.scenario = Scenario(now=DECIDED_AT)
        self.told: list[KeyedFact] = []
        self._records: list[_Records] = []
        self._waves = 0

    def tell(self, key: str, fact: Fact) -> tuple[Write, ...]:
        """Let a fact happen; return the writes that follow."""
        self.told.append(KeyedFact(Topic.SALESFORCE_CHANGES, key, fact))
        self.scenario.decide(fact)
        return self.scenario.writes()

    def wave(self, edited: list[int], *, new: int) -> None:
        """Let people edit pairs, on either side, and open new opportunities."""
        begun = self._waves * WAVE_SECONDS
        self._waves += 1
        edits = [(self._records[number], self._edit(number, begun)) for number in edited]
        fresh = [(records, self._read_opportunity(records, begun)) for records in self._open(new)]
        for records, (write,) in edits:
            self._done(records, write, begun + OUTCOME_AFTER)
        for records, (create,) in fresh:
            (link,) = self._done(records, create, begun + OUTCOME_AFTER)
            records.set_at = dict.fromkeys(CREATED, float(begun + OUTCOME_AFTER))
            records.ours = set(CREATED)
            self._done(records, link, begun + LINKED_AFTER)
        for records, (write,) in edits:
            if write.CRM is ids.Crm.SALESFORCE:
                self._read_opportunity(records, begun + ECHO_AFTER, modified_by_us=True)
            else:
                self._read_deal(records, begun + ECHO_AFTER)
        for records, _ in fresh:
            self._read_deal(records, begun + ECHO_AFTER)
            self._read_opportunity(records, begun + ECHO_AFTER, modified_by_us=True)

    def _open(self, new: int) -> list[_Records]:
        first = len(self._records)
        opened = [
            _Records(
                number,
                {
                    "name": f"Customer {number}: renewal",
                    "amount": str(1_000 + number),
                    "close_date": f"2026-12-{number % 28 + 1:02d}",
                    "description": None,
                },
            )
            for number in range(first, first + new)
        ]
        self._records += opened
        return opened

    def _edit(self, number: int, seconds: float) -> tuple[Write, ...]:
        """Let a person change one value: at HubSpot in every other pair, in turn."""
        records = self._records[number]
        turn = self._waves + number
        name = list(EDITED)[turn // 2 % len(EDITED)]
        records.values[name] = {
            "name": f"Customer {number}, as of wave {self._waves}",
            "amount": str(2_000 + 7 * turn),
            "close_date": f"2027-{self._waves % 12 + 1:02d}-{number % 28 + 1:02d}",
            "description": f"Spoke to them in wave {self._waves}; they will decide soon.",
        }[name]
        records.set_at[EDITED[name]] = seconds + (0 if turn % 2 else OUTCOME_AFTER)
        if turn % 2:
            records.ours.discard(EDITED[name])
            return self._read_deal(records, seconds)
        records.ours.add(EDITED[name])
        return self._read_opportunity(records, seconds)

    def _read_opportunity(
        self, records: _Records, seconds: float, **changes: object
    ) -> tuple[Write, ...]:
        return self.tell(
            str(records.number),
            self.scenario.opportunity(
                seconds, opportunity_id=records.opportunity_id, **records.values, **changes
            ),
        )

    def _read_deal(self, records: _Records, seconds: float) -> tuple[Write, ...]:
        return self.tell(
            str(records.number),
            self.scenario.deal(
                seconds,
                deal_id=records.deal_id,
                link=records.opportunity_id,
                set_at=records.set_at,
                ours=records.ours,
                **records.values,
            ),
        )

    def _done(self, records: _Records, write: Write, seconds: float) -> tuple[Write, ...]:
        hubspot = write.CRM is ids.Crm.HUBSPOT
        record_id = records.deal_id if hubspot else records.opportunity_id
        return self.tell(str(records.number), self.scenario.done(write, seconds, record_id))
