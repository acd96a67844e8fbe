"""What a webhook tells the read that it asks for, in the one text that a wish to read carries.

The webhook endpoint writes it and the source reads it; nobody else looks inside. The form:
`deal.merge primary=987654321`, the vendor's event type and then what only some types have.
"""

from typing import Final

_PRIMARY: Final = "primary="
_ASSOCIATION: Final = ".associationChange"


def hint_of(event_type: str, primary_id: str | None = None) -> str:
    """Write a hint."""
    return event_type if primary_id is None else f"{event_type} {_PRIMARY}{primary_id}"


def primary_of(hint: str) -> str | None:
    """Return the record whose pair a merge's survivor takes, where the hint says which."""
    for part in hint.split():
        if part.startswith(_PRIMARY):
            return part.removeprefix(_PRIMARY) or None
    return None


def tells_association(hint: str) -> bool:
    """Tell whether it was a change of associations that made us look."""
    return hint.partition(" ")[0].endswith(_ASSOCIATION)
