"""Whether a lost update took effect: every case of one field that is there and one that is not."""

import pytest

from domain.canonical import FieldType
from domain.effect import took_effect
from domain.rules import RuleId
from domain.writes import FieldChange


def change(name: str, before: str | None, after: str, *, guarded: bool = True) -> FieldChange:
    return FieldChange(
        field=name,
        name=name,
        type=FieldType.DECIMAL if name == "amount" else FieldType.TEXT,
        before=before,
        after=after,
        wire=after,
        guarded=guarded,
    )


BOTH = (change("name", "old", "new"), change("amount", "1", "2"))
STATUS = (change("state", None, "live", guarded=False),)


@pytest.mark.parametrize(
    ("changes", "shown", "expected"),
    [
        (BOTH, {"name": "new", "amount": "2.0"}, True),
        (BOTH, {"name": "new", "amount": "3"}, True),
        (BOTH, {"name": "new", "amount": "1.0"}, False),
        (BOTH, {"name": "new", "amount": None}, True),
        (BOTH, {"name": "old", "amount": "1"}, False),
        (BOTH, {"name": "theirs", "amount": "3"}, False),
        ((*BOTH, *STATUS), {"name": "new", "amount": "3", "state": "stopped"}, True),
        (STATUS, {"state": "live"}, True),
        (STATUS, {"state": "stopped"}, False),
        ((change("name", "new", "new"),), {"name": "new"}, True),
    ],
)
def test_one_value_of_ours_proves_it_unless_another_is_unchanged(
    changes: tuple[FieldChange, ...], shown: dict[str, str | None], *, expected: bool
) -> None:
    assert took_effect(changes, shown) is expected
    assert RuleId.ONCE
