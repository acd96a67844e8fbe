"""How several updates of one record become one call (rule `budget`).

The later value of a field wins. A write of which every field is set anew by later ones is not
needed any more; the others stand or fall with the call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain import writes
from domain.writes import FieldChange, Write

#: the writes that merge; all others go one by one
UPDATES: Final = (
    writes.UpdateDeal,
    writes.UpdateOpportunity,
    writes.UpdateContact,
    writes.UpdateCompany,
)


@dataclass(frozen=True, slots=True)
class Merged:
    """What goes over the wire, and whose answer it is."""

    write: Write
    #: in event order; at least one
    stands_for: tuple[Write, ...]


def merge(together: Sequence[Write]) -> tuple[Merged, ...]:
    """Return the calls that do these writes, in event order.

    Args:
        together: one addressee's, of one class; updates agree in all but their fields.
    """
    if not together or not isinstance(together[0], UPDATES):
        return tuple(Merged(write, (write,)) for write in together)
    fields: dict[str, FieldChange] = {}
    for write in together:
        for change in write.fields:
            earlier = fields.get(change.name)
            fields[change.name] = change if earlier is None else _joined(earlier, change)
    one = together[-1].model_copy(update={"fields": tuple(fields.values())})
    return (Merged(one, tuple(together)),)


def superseded(together: Sequence[Write]) -> tuple[Write, ...]:
    """Return the updates of which later ones set every field, in event order."""
    if not together or not isinstance(together[0], UPDATES):
        return ()
    later: set[str] = set()
    found: list[Write] = []
    for write in reversed(together):
        names = {change.name for change in write.fields}
        if names and names <= later:
            found.append(write)
        later |= names
    return tuple(reversed(found))


def _joined(earlier: FieldChange, later: FieldChange) -> FieldChange:
    return later.model_copy(
        update={"before": earlier.before, "guarded": earlier.guarded or later.guarded}
    )
