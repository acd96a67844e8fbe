"""A sandbox's file: what was saved is there again, in its order, and one process holds it."""

from pathlib import Path

import pytest

from adapters.sandbox.store import SandboxInUseError, Store
from adapters.sandbox.tables import Tables


def test_saved_rows_come_back_in_their_order(tmp_path: Path) -> None:
    tables = Tables()
    store = Store(tmp_path / "sandbox" / "one.sqlite")
    for key in ("b", "a", "c"):
        tables.put("letter", key, {"text": key, "list": [1, None, "ü"]})
    store.save(tables)
    tables.put("letter", "b", {"text": "changed"})
    tables.drop("letter", "c")
    store.save(tables)
    store.close()

    again = Tables()
    reopened = Store(tmp_path / "sandbox" / "one.sqlite")
    reopened.load(again)
    reopened.close()

    assert list(again.rows("letter").items()) == [
        ("b", {"text": "changed"}),
        ("a", {"text": "a", "list": [1, None, "ü"]}),
    ]
    assert again.take_dirty() == ()


def test_a_second_process_is_told_who_is_in_the_way(tmp_path: Path) -> None:
    store = Store(tmp_path / "one.sqlite")
    with pytest.raises(SandboxInUseError, match="open in another process"):
        Store(tmp_path / "one.sqlite")
    store.close()
    Store(tmp_path / "one.sqlite").close()
