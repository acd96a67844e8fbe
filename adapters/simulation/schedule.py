"""Who moves next: a list of choices drawn before the world begins, so that it can be shortened.

A choice says who moves and carries a number of its own, from which everything about it is drawn.
Leaving one out leaves the others as they are.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adapters.simulation.dice import Dice, happens, weighted

CHOICES_MIN: Final = 40
CHOICES_MAX: Final = 220
#: times that days pass in a world, at least; three days each, or more
DAYS_MIN: Final = 10
#: how often chance is asked for one choice
_SALT_MAX: Final = 2**32


class Move(StrEnum):
    """Who moves."""

    SALESFORCE_PERSON = "somebody in Salesforce"
    HUBSPOT_PERSON = "somebody in HubSpot"
    BOTH = "two people"
    POLICY = "the policy"
    OPERATOR = "an operator"
    TROUBLE = "the CRMs"
    STEP = "the engine"
    WEBHOOKS = "HubSpot's webhooks"
    WAIT = "time"
    REST = "the engine, until nothing moves"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Choice:
    """One move."""

    move: Move
    salt: int


def drawn(dice: Dice, count: int | None = None) -> tuple[Choice, ...]:
    """Draw the choices of a world.

    Args:
        dice: of the seed.
        count: how many; None: drawn as well.
    """
    number = dice.randrange(CHOICES_MIN, CHOICES_MAX + 1) if count is None else count

    def swarm(weight: float, *, rare: bool = False) -> float:
        return 0.0 if rare and happens(dice, 0.5) else weight * (0.3 + 1.4 * dice.random())

    weights = (
        (Move.SALESFORCE_PERSON, swarm(4.0)),
        (Move.HUBSPOT_PERSON, swarm(4.0)),
        (Move.BOTH, swarm(1.0, rare=True)),
        (Move.TROUBLE, swarm(0.3, rare=True)),
        (Move.OPERATOR, swarm(0.4, rare=True)),
        (Move.POLICY, swarm(0.3, rare=True)),
        (Move.STEP, swarm(8.0)),
        (Move.WEBHOOKS, swarm(1.5)),
        (Move.WAIT, swarm(2.0)),
        (Move.REST, swarm(1.0)),
    )
    moves = [weighted(dice, weights) for _ in range(number)]
    for place in range(DAYS_MIN):
        # Evenly spread, so that every part of the history is followed by days of rest.
        moves[min(number - 1, place * number // DAYS_MIN)] = Move.DAYS
    return tuple(Choice(move, dice.randrange(0, _SALT_MAX)) for move in moves)
