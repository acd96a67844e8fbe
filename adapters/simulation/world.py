"""One seed from the first day to the calm at its end.

The only place where chance is made: everything else is given its dice. Two runs of one seed are
equal to the last digit.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from adapters.bootstrap.requests import is_set_up
from adapters.clock import FixedClock
from adapters.hubspot.source import SWEEP_SECONDS
from adapters.sandbox import company, record_clock
from adapters.sandbox.people import SALESPEOPLE
from adapters.sandbox.server import new_fronts
from adapters.simulation import (
    faults,
    invariants,
    mishaps,
    oracle,
    policies,
    postman,
    quiet,
    restless,
    schedule,
)
from adapters.simulation.chronicle import Chronicle
from adapters.simulation.desks import Desks
from adapters.simulation.dice import Dice, happens
from adapters.simulation.engine import ACTORS, FIRST, Engine, Surroundings
from adapters.simulation.evidence import Evidence, Violation
from adapters.simulation.faults import Hazards, Odds
from adapters.simulation.operators import Operators
from adapters.simulation.people import People
from adapters.simulation.poison import Poison
from adapters.simulation.postman import Postman
from adapters.simulation.restless import Restless
from adapters.simulation.schedule import Choice, Move
from adapters.simulation.sight import Sight
from adapters.simulation.stores import Present, Stores
from adapters.source import want_full_pass
from domain import events, facts
from domain.ids import CATALOG_STREAM, POLICY_STREAM, Crm
from domain.mapping import FieldRule
from domain.policy import Policy

START: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
#: a CRM's clock differs from ours by at most this
SKEW_SECONDS_MAX: Final = 600
#: rounds of every actor until a world in calm must be quiet
ROUNDS_MAX: Final = 200
#: rounds in which each CRM is polled more than once
ROUNDS_MIN: Final = 8
#: longer than any world lasts
NEVER_SECONDS: Final = 10.0**9
#: between two rounds in calm times
ROUND_SECONDS: Final = 20
#: steps of every actor in one rest
REST_ROUNDS_MAX: Final = 60
#: that pass when days pass
HOURS: Final = (72, 97)
#: people who sell in this small world
SELLERS: Final = 3
#: of what happens in the middle of one's step, how much people do
MEDDLING_SHARE: Final = 0.1
#: of the troubles, how many are a fact that cannot be decided
POISON_SHARE: Final = 0.15
#: of the rests, how many begin with what HubSpot has to bring
BROUGHT_SHARE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a seed."""

    seed: int
    digest: str
    choices: tuple[Choice, ...]
    violations: tuple[Violation, ...]
    #: (fault, where) → how often
    faults: Mapping[tuple[str, str], int]
    #: edits, facts, events, writes, calls
    counts: Mapping[str, int]
    #: what never came to rest in the calm at the end
    restless: tuple[Restless, ...] = ()
    #: what happened, one line a move
    story: tuple[str, ...] = field(default=(), repr=False)


class World:
    """Two CRMs, their people, and the engine between them.

    Args:
        seed: where everything comes from.
        policy: what the operator adopts, for good; None: drawn, and changed in between.
        odds: of the faults; None: drawn.
    """

    def __init__(self, seed: int, policy: Policy | None = None, odds: Odds | None = None) -> None:
        dice: Dice = random.Random(f"world {seed}")  # noqa: S311 - chance, not secrecy
        self.seed = seed
        self._is_given = policy is not None
        self.clock = FixedClock(START)
        salesforce, hubspot = new_fronts()
        self.fronts = {Crm.SALESFORCE: salesforce, Crm.HUBSPOT: hubspot}
        for front in self.fronts.values():
            front.box.seed_basics(START)
        company.hire(salesforce, hubspot, START)
        self.chronicle = Chronicle(self.fronts)
        self.stores = Stores()
        self.present = Present(self.stores)
        self.poison = Poison()
        self.hazards = Hazards(
            faults.drawn_odds(dice) if odds is None else odds,
            interrupt=self._interrupt,
            sleep=self._sleep,
        )
        self.postman = Postman(hubspot, self.stores.refreshes, self.clock, self.hazards)
        self.engine = Engine(
            Surroundings(
                fronts=self.fronts,
                stores=self.stores,
                present=self.present,
                clock=self.clock,
                chronicle=self.chronicle,
                hazards=self.hazards,
                poison=self.poison,
                sweep_seconds=SWEEP_SECONDS if self.hazards.odds.sweeps else NEVER_SECONDS,
            )
        )
        self.desks = desks = Desks(self.fronts, self.clock, self.chronicle)
        self.sellers = [one.email for one in SALESPEOPLE if one.in_salesforce][:SELLERS]
        self.people = People(desks, self.sellers)
        self.operators = Operators(self.stores, salesforce, self.clock)
        self.policy = policies.drawn(dice) if policy is None else policy
        #: of the fields whose rule was never changed
        self.rules = {mapping.name: mapping.rule for mapping in self.policy.mappings}
        self.violations: list[Violation] = []
        self.story: list[str] = []
        #: the last change before the calm
        self.calm_since = 0
        desks.act(Crm.HUBSPOT, "set_webhook_target", url=postman.URL)
        self._set_up()
        for crm in Crm:
            skew = dice.randrange(-SKEW_SECONDS_MAX, SKEW_SECONDS_MAX + 1)
            if not happens(dice, 0.5):
                skew = 0
            record_clock.set_offset(self.fronts[crm].box.tables, skew)
            if skew:
                self.hazards.befell("skewed clock", crm)

    # -- set-up --------------------------------------------------------------------------------

    def _set_up(self) -> None:
        """Adopt the policy and have everything made, as `up` does."""
        self.propose(self.policy)
        fact_id = self.operators.request_id("setup")
        setup = facts.SetupRequested(id=fact_id, at=self.clock.at)
        self.operators.ask(CATALOG_STREAM, setup)
        for _ in range(ROUNDS_MAX):
            self.round()
            if is_set_up(fact_id, self.present.moment()) and not self.moving():
                return
        raise AssertionError(f"the set-up does not end: {self.moving()}")

    def propose(self, policy: Policy) -> None:
        """Ask for a policy to be adopted in place of the one in force."""
        at, replaces = self.clock.at, self.present.moment().adopted.policy_version
        fact_id = self.operators.request_id("policy", str(replaces))
        proposal = facts.PolicyProposed(
            id=fact_id, at=at, policy=policy, text="", replaces=replaces
        )
        self.operators.ask(POLICY_STREAM, proposal)
        self.policy = policy

    # -- moves ---------------------------------------------------------------------------------

    def make(self, choice: Choice) -> None:
        """Make one move."""
        dice: Dice = random.Random(choice.salt)  # noqa: S311 - chance, not secrecy
        self.hazards.dice = dice
        said = self._move(choice.move, dice)
        told = "; ".join(self.hazards.told)
        self.hazards.told.clear()
        if said or told:
            at = f"{self.clock.at:%Y-%m-%d %H:%M:%S}"
            self.story.append(f"{at} {choice.move}: {said}{' — ' if told else ''}{told}")

    def _move(self, move: Move, dice: Dice) -> str:
        match move:
            case Move.SALESFORCE_PERSON:
                return self.people.in_salesforce(dice)
            case Move.HUBSPOT_PERSON:
                return self.people.in_hubspot(dice)
            case Move.BOTH:
                said = self.people.in_both(dice)
                if said:
                    self.hazards.befell("edits at once", "both")
                return said
            case Move.POLICY:
                return self._change_policy(dice)
            case Move.OPERATOR:
                return self.operators.work(dice)
            case Move.TROUBLE:
                return self._trouble(dice)
            case Move.STEP:
                return self._steps(dice)
            case Move.WEBHOOKS:
                return self._webhooks(dice)
            case Move.WAIT:
                self.pass_time(dice.randrange(1, 120))
                return ""
            case Move.REST:
                return self._rest(dice)
            case Move.DAYS:
                self._rest(dice)
                hours = dice.randrange(*HOURS)
                self.pass_time(hours * 3600)
                self.hazards.befell("days asleep", "engine")
                return f"{hours} hours pass"

    def _trouble(self, dice: Dice) -> str:
        if happens(dice, POISON_SHARE):
            self.poison.wanted += 1
            self.hazards.befell("poison", "decide")
            return "something is wrong with the next record that is read"
        fault, where, said = self.people.trouble(dice)
        if fault:
            self.hazards.befell(fault, where)
        return said

    def _change_policy(self, dice: Dice) -> str:
        if self._is_given:
            return ""
        before, after = self.policy, policies.changed(self.policy, dice)
        for old, new in zip(before.mappings, after.mappings, strict=True):
            if old.rule is not new.rule:
                self.rules.pop(new.name, None)
        self.propose(after)
        self.hazards.befell("policy changed", "policy")
        return policies.told(before, after)

    def _steps(self, dice: Dice) -> str:
        said = []
        for _ in range(dice.randrange(1, 5)):
            actor = dice.choice(ACTORS)
            count = self.step(actor, armed=True)
            said.append(f"{actor} ({count})")
            self.pass_time(dice.random() * 3)
        return ", ".join(said)

    def step(self, actor: str, *, armed: bool) -> int:
        """Let an actor make a step, with or without faults."""
        was = self.hazards.armed
        self.hazards.armed = armed
        try:
            return self.engine.step(actor)
        except Exception as error:  # noqa: BLE001 - whatever a step raises is what we look for
            self.violations.append(Violation("bug", f"{actor}: {type(error).__name__}: {error}"))
            self.engine.restart()
            return 0
        finally:
            self.hazards.armed = was

    def _interrupt(self) -> None:
        """Let others make whole steps in the middle of one's."""
        dice = self.hazards.dice
        assert dice is not None, "only a choice arms the faults"
        for _ in range(dice.randrange(1, 4)):
            if happens(dice, MEDDLING_SHARE):
                said = self._meddle(dice)
                if said:
                    self.hazards.told.append(f"meanwhile somebody {said}")
                continue
            idle = [one for one in ACTORS if one not in self.engine.acting]
            chosen = dice.choice(idle)
            kind = chosen.rpartition("-")[0]
            if any(one.rpartition("-")[0] == kind for one in self.engine.acting):
                self.hazards.befell("side by side", kind)
            self.step(chosen, armed=True)

    def _meddle(self, dice: Dice) -> str:
        """Let somebody work in the middle of a step."""
        self.hazards.befell("edit inside a step", self.engine.acting[-1].rpartition("-")[0])
        return self.people.meddle(dice)

    def _sleep(self) -> None:
        """Let one stand still for longer than its lease lasts while others work."""
        dice = self.hazards.dice
        assert dice is not None, "only a choice arms the faults"
        self.pass_time(dice.randrange(10, 400))
        self._interrupt()

    def _webhooks(self, dice: Dice) -> str:
        said = self.postman.bring(dice)
        self.violations.extend(self.postman.violations)
        return said

    def _rest(self, dice: Dice) -> str:
        said = self._webhooks(dice) if happens(dice, BROUGHT_SHARE) else ""
        for _ in range(REST_ROUNDS_MAX):
            done = [self.step(actor, armed=True) for actor in FIRST]
            self.pass_time(1)
            if not any(done):
                break
        return said

    def pass_time(self, seconds: float) -> None:
        """Move our clock; the CRMs' go with it."""
        self.clock.at += timedelta(seconds=seconds)

    # -- calm ----------------------------------------------------------------------------------

    def round(self) -> None:
        """Deliver webhooks and let one of each actor make a step, without faults."""
        self.postman.bring_all()
        for actor in FIRST:
            self.step(actor, armed=False)
        self.pass_time(ROUND_SECONDS)

    def moving(self, passes_since: datetime | None = None) -> Mapping[str, int]:
        """Return what moves now."""
        hubspot = self.fronts[Crm.HUBSPOT]
        return quiet.moving(self.stores, hubspot, self.clock.at, passes_since=passes_since)

    def calm_down(self) -> None:
        """Let everything settle, with no fault any more (invariant I15)."""
        self.hazards.dice = None
        self.calm_since = self.chronicle.last_number
        self.engine.restart()
        self.people.mend()
        self.poison.mend()
        self.operators.retry_parked()
        since = self.clock.at if self.hazards.odds.sweeps else None
        if since is not None:
            want_full_pass(self.stores.bookmarks, since)
        for number in range(ROUNDS_MAX):
            self.round()
            if number >= ROUNDS_MIN and not self.moving(passes_since=since):
                return
        still = ", ".join(f"{name}: {n}" for name, n in self.moving(passes_since=since).items())
        self.violations.append(Violation("I15", f"not quiet after {ROUNDS_MAX} rounds: {still}"))

    def _unsettled(self) -> frozenset[str]:
        """Return opportunities of which nobody changed anything since sync was switched on.

        Switching it on pushes nothing: a pair is reconciled at its next trigger.
        """
        on_at: datetime | None = START
        was_off = False
        for stored in self.stores.decisions.events:
            if isinstance(stored.event, events.PolicyAdopted):
                is_on = stored.event.policy.switches.deal_sync
                if not is_on:
                    was_off, on_at = True, None
                elif on_at is None:
                    on_at = self.stores.decisions.decided_at[stored.id]
        if not was_off:
            return frozenset()
        if on_at is None:
            return frozenset(self.fronts[Crm.SALESFORCE].box.tables.rows("Opportunity"))
        apart = {name for name, rule in self.rules.items() if rule is FieldRule.DONT_SYNC}
        return oracle.untouched(self.chronicle, Sight(self.fronts), on_at, no_triggers=apart)

    def check(self) -> None:
        """Look for what must never be."""
        evidence = Evidence(
            chronicle=self.chronicle,
            sight=Sight(self.fronts),
            stores=self.stores,
            rules=self.rules,
            unsettled=self._unsettled(),
            handled=frozenset(self.operators.handled),
            refused=frozenset(self.people.refused),
            poisoned=self.poison.never_decided(),
        )
        calm = not self.violations
        self.violations.extend(invariants.at_any_time(evidence))
        if calm:
            self.violations.extend(invariants.in_calm(evidence))
        self.violations = list(dict.fromkeys(self.violations))

    def mishaps(self) -> Mapping[tuple[str, str], int]:
        """Return everything that befell this world: (fault, where) → how often."""
        counts = self.hazards.counts
        lossy = any(fault in ("webhook dropped", "days asleep") for fault, _ in counts)
        of_people = mishaps.of_people(self.chronicle, Sight(self.fronts), lossy=lossy)
        return dict(sorted((counts + of_people).items()))

    def digest(self) -> str:
        """Return a digest of everything that happened, in both CRMs and in the engine."""
        found = hashlib.sha256(self.chronicle.digest().encode())
        for stored in self.stores.decisions.events:
            found.update(f"{stored.id}{stored.version}{stored.source}{stored.offset}".encode())
            found.update(stored.event.model_dump_json().encode())
        return found.hexdigest()


def run(
    seed: int,
    steps: int | None = None,
    *,
    policy: Policy | None = None,
    choices: Sequence[Choice] | None = None,
    odds: Odds | None = None,
) -> Outcome:
    """Let one seed happen.

    Args:
        seed: the seed.
        steps: how many choices; None: as the seed says.
        policy: what the operator adopts, for good; None: drawn, and changed in between.
        choices: in place of the seed's own (a shortened world).
        odds: of the faults; None: as the seed says.
    """
    world = World(seed, policy, odds)
    if choices is None:
        choices = schedule.drawn(random.Random(f"choices {seed}"), steps)  # noqa: S311 - chance
    for choice in choices:
        world.make(choice)
        if world.violations:
            break
    if not world.violations:
        world.calm_down()
    world.check()
    counts = Counter(
        {
            "edits": sum(not change.is_ours for change in world.chronicle.changes),
            "writes": sum(change.is_ours for change in world.chronicle.changes),
            "calls": len(world.chronicle.calls),
            "facts": sum(head + 1 for head in world.stores.log.heads().values()),
            "events": len(world.stores.decisions.events),
            "days": (world.clock.at - START).days,
        }
    )
    return Outcome(
        seed=seed,
        digest=world.digest(),
        choices=tuple(choices),
        violations=tuple(world.violations),
        faults=world.mishaps(),
        counts=counts,
        restless=tuple(restless.found(world.chronicle, world.policy.mappings, world.calm_since))
        if world.violations and world.calm_since
        else (),
        story=tuple(world.story),
    )
