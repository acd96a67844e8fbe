"""Every query of `docs/analysts.md` runs as the role that only reads, and answers its question."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.postgres.database import Database
from tests.analysts.conftest import CONTACT, OPPORTUNITY

PAGE = Path(__file__).parents[2] / "docs" / "analysts.md"
QUERIES: dict[str, str] = dict(
    re.findall(r"^## ([^\n]+\?)\n+```sql\n([^`]+)```", PAGE.read_text("utf-8"), re.MULTILINE)
)


def answer(database: Database, question: str) -> list[tuple[Any, ...]]:
    """Run a query of the page as the reader."""
    with psycopg.connect(database.conninfo, user="dealsync_reader") as connection:
        return connection.execute(QUERIES[question].encode()).fetchall()


def test_the_page_has_ten_questions() -> None:
    assert len(QUERIES) == 10


@pytest.mark.parametrize("question", QUERIES)
def test_a_query_of_the_page_answers(database: Database, question: str) -> None:
    assert answer(database, question) != []


def test_pairs_are_counted_by_state(database: Database) -> None:
    rows = answer(database, "How many pairs are in which state?")

    assert sorted(rows) == [("live", 1, Decimal("1200.5")), ("waiting", 1, Decimal(70))]


def test_a_deal_names_its_opportunity(database: Database) -> None:
    rows = answer(database, "Which deal belongs to which opportunity?")

    assert (OPPORTUNITY, "1", "live", "A deal", []) in rows


def test_yesterdays_changes_say_why(database: Database) -> None:
    (row,) = answer(database, "What did the engine change yesterday, and why?")

    assert row[1:] == ("hubspot", "update", "deal", "1", "field-rule", "amount: '1' → '2'")


def test_the_losing_value_is_listed(database: Database) -> None:
    (row,) = answer(database, "Where did one side's change lose against the other's?")

    kept, lost = ("1200.50", "ada"), ("1100", "bob")
    assert row[1:] == (OPPORTUNITY, "1", "amount", *kept, *lost, False)


def test_an_edit_has_its_author_and_what_was_there_before(database: Database) -> None:
    (row,) = answer(database, "Who changed this field, and what did it hold before?")

    assert row[1:] == (OPPORTUNITY, "hubspot", "bob", "1000", "1100")


def test_a_write_took_two_seconds(database: Database) -> None:
    (row,) = answer(database, "How long does a write take from the decision to the answer?")

    assert row[:3] == ("hubspot", "update", 1)
    assert row[3] == row[4] == timedelta(seconds=2)


def test_who_waits_is_listed(database: Database) -> None:
    (row,) = answer(database, "Which pairs wait, and for what?")

    assert row[1:] == ("2", "A deal", ["catalog", "contact:hubspot:78"])


def test_revenue_is_exact(database: Database) -> None:
    (row,) = answer(database, "Which contacts bring the most revenue?")

    assert row == ("77", CONTACT, 1, Decimal("1200.5"))
