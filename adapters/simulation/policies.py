"""What the operators of worlds decide: a policy for each seed, and changes of mind in between."""

from collections.abc import Mapping
from typing import Final

from adapters.simulation.dice import Dice, happens
from domain.mapping import AMOUNT, DESCRIPTION, TYPE, FieldRule
from domain.policy import ContactRemoval, Policy

#: the fields whose rule an operator plays with; the others are required by a create
PLAYED_WITH: Final = (AMOUNT, TYPE, DESCRIPTION)
#: how often sync is switched on again, once it is off
ON_AGAIN: Final = 0.9


def drawn(dice: Dice) -> Policy:
    """Return the policy that a world begins with."""
    policy = Policy()
    if happens(dice, 0.5):
        return policy
    for name in PLAYED_WITH:
        policy = with_rule(policy, name, dice.choice(tuple(FieldRule)))
    if happens(dice, 0.3):
        switches = policy.switches.model_copy(update={"contact_removal": ContactRemoval.MIRROR})
        policy = policy.model_copy(update={"switches": switches})
    return policy


def changed(policy: Policy, dice: Dice) -> Policy:
    """Return the policy that an operator adopts in place of one."""
    switches = policy.switches
    if not switches.deal_sync:
        wanted: Mapping[str, bool] = {"deal_sync": happens(dice, ON_AGAIN)}
    elif happens(dice, 0.3):
        wanted = {"deal_sync": False}
    elif happens(dice, 0.3):
        wanted = {"lifecycle": not switches.lifecycle}
    else:
        return with_rule(policy, dice.choice(PLAYED_WITH), dice.choice(tuple(FieldRule)))
    return policy.model_copy(update={"switches": switches.model_copy(update=wanted)})


def with_rule(policy: Policy, name: str, rule: FieldRule) -> Policy:
    """Return the policy with another rule for one field."""
    mappings = tuple(
        mapping.model_copy(update={"rule": rule}) if mapping.name == name else mapping
        for mapping in policy.mappings
    )
    return policy.model_copy(update={"mappings": mappings})


def told(before: Policy, after: Policy) -> str:
    """Return in words what one policy has that another has not."""
    said = [
        f"{new.name} {old.rule} → {new.rule}"
        for old, new in zip(before.mappings, after.mappings, strict=True)
        if old.rule is not new.rule
    ]
    old_switches, new_switches = before.switches.model_dump(), after.switches.model_dump()
    said += [
        f"{name} {old_switches[name]} → {value}"
        for name, value in new_switches.items()
        if old_switches[name] != value
    ]
    return ", ".join(said)
