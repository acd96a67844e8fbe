"""Whether an update of unknown result took effect, told by what its record shows (rule `once`).

It must not guess: where the record speaks for both, the update counts as lost and is decided anew.
"""

from collections.abc import Mapping, Sequence

from domain.canonical import NotCanonicalError, Value, canonical
from domain.writes import FieldChange


def took_effect(changes: Sequence[FieldChange], shown: Mapping[str, Value]) -> bool:
    """Return whether the values of an update are there, or were before somebody went on.

    An update is taken whole or not at all: one of its values proves it, unless another field still
    shows what it held before. A field that shows neither was edited since.

    Args:
        changes: what was to be written.
        shown: what the record holds now, by the CRM's own names, as it says it.
    """
    if all(_holds(change, shown) for change in changes):
        return True
    guarded = [change for change in changes if change.guarded]
    return any(_holds(change, shown) for change in guarded) and not any(
        _is_unchanged(change, shown) for change in guarded
    )


def found_before(changes: Sequence[FieldChange], value: Value) -> bool:
    """Return whether a value is what one of several updates of one field expected to find there."""
    return any(_canonical(change, value) == change.before for change in changes)


def shows_another(changes: Sequence[FieldChange], shown: Mapping[str, Value]) -> bool:
    """Return whether a record shows another value than an update of it was to write.

    Args:
        changes: what was written.
        shown: what the record holds, by the CRM's own names; who is not there says nothing.
    """
    return any(
        change.guarded and change.name in shown and not _holds(change, shown) for change in changes
    )


def _holds(change: FieldChange, shown: Mapping[str, Value]) -> bool:
    return _canonical(change, shown.get(change.name)) == _canonical(change, change.wire)


def _is_unchanged(change: FieldChange, shown: Mapping[str, Value]) -> bool:
    there = _canonical(change, shown.get(change.name))
    return there == change.before and there != _canonical(change, change.wire)


def _canonical(change: FieldChange, value: Value) -> Value:
    try:
        return canonical(change.type, value)
    except NotCanonicalError:
        return value
