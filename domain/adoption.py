"""Which policy is in force: the aggregate of adoptions (rule `policy-change`).

A policy is in force from its `PolicyAdopted` event. A proposal names the version it replaces; if
another was adopted meanwhile, it is refused, so nobody overwrites a policy without having seen it.
"""

from dataclasses import dataclass

from domain import events
from domain.context import Context
from domain.copying import replace
from domain.facts import Fact, PolicyProposed
from domain.ids import POLICY_STREAM, StreamId
from domain.policy import Policy
from domain.rules import RuleId
from domain.telling import Telling


@dataclass(frozen=True, slots=True)
class Adopted:
    """The policy stream's state."""

    stream: StreamId = POLICY_STREAM
    version: int = 0
    #: 0: none was ever adopted
    policy_version: int = 0
    policy: Policy = Policy()  # noqa: RUF009  # a frozen value
    text: str = ""
    parked: tuple[events.FactParked, ...] = ()


def evolve(adopted: Adopted, event: events.Event) -> Adopted:
    """Fold one event of the policy stream."""
    adopted = replace(adopted, version=adopted.version + 1)
    match event:
        case events.PolicyAdopted():
            return replace(
                adopted, policy_version=event.version, policy=event.policy, text=event.text
            )
        case events.FactParked():
            return replace(adopted, parked=(*adopted.parked, event))
        case events.ParkedFactSettled():
            left = tuple(p for p in adopted.parked if p.position != event.position)
            return replace(adopted, parked=left)
        case _:
            return adopted


def decide(state: Adopted | None, fact: Fact, context: Context) -> tuple[events.Event, ...]:
    """Adopt a proposed policy, or refuse it."""
    telling = Telling(state or Adopted(), fact, context, evolve)
    if not isinstance(fact, PolicyProposed):
        telling.not_because(RuleId.POLICY_CHANGE, "no such fact concerns the policy")
        return telling.all_told("")
    said = telling.said(RuleId.POLICY_CHANGE)
    present = telling.state.policy_version
    if fact.replaces != present:
        reason = (
            f"it replaces version {fact.replaces}, but version {present} is in force;"
            " look at that one and propose again"
        )
        telling.tell(events.PolicyRefused(**said, reason=reason))
        return telling.all_told("")
    said["policy_version"] = present + 1
    telling.tell(
        events.PolicyAdopted(**said, version=present + 1, policy=fact.policy, text=fact.text)
    )
    return telling.all_told("")
