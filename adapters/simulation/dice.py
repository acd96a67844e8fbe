"""Chance from inside: draws that follow from a seed, as `random.Random` makes them."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Dice(Protocol):
    """A source of draws; the same seed gives the same ones."""

    def random(self) -> float:
        """Return a number in [0, 1)."""
        ...

    def randrange(self, start: int, stop: int, /) -> int:
        """Return a whole number from start up to, but not including, stop."""
        ...

    def choice(self, options: Sequence[T], /) -> T:
        """Return one of the options; there is at least one."""
        ...


def happens(dice: Dice, probability: float) -> bool:
    """Tell whether something of that probability happens now."""
    return dice.random() < probability


def weighted(dice: Dice, weights: Sequence[tuple[T, float]]) -> T:
    """Return one of the options, each as often as its weight says."""
    rest = dice.random() * sum(weight for _, weight in weights)
    for option, weight in weights:
        rest -= weight
        if rest < 0:
            return option
    return weights[-1][0]
