"""The shortest list of choices that still fails: what a person has to read."""

from collections.abc import Callable, Sequence
from typing import Final

from adapters.simulation.schedule import Choice

#: worlds that are tried
TRIES_MAX: Final = 300


def shortened(
    choices: Sequence[Choice],
    fails: Callable[[Sequence[Choice]], bool],
    *,
    tries_max: int = TRIES_MAX,
) -> tuple[Choice, ...]:
    """Leave out choices as long as the world still fails in the same way.

    Large pieces are tried first; what is left cannot lose any single choice, unless the tries ran
    out.

    Args:
        choices: of a world that fails.
        fails: whether a world with these choices fails in that way.
        tries_max: worlds that are tried at most.
    """
    kept = list(choices)
    size = max(1, len(kept) // 2)
    tries = 0
    while tries < tries_max:
        shorter = False
        start = 0
        while start < len(kept) and tries < tries_max:
            candidate = kept[:start] + kept[start + size :]
            tries += 1
            if fails(candidate):
                kept = candidate
                shorter = True
            else:
                start += size
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return tuple(kept)
