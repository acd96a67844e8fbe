"""Folding again gives the live rows, heals what differs, tells nobody (`replay-silent`)."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.postgres import audit, rebuilding
from adapters.postgres.database import Database
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.followers import PostgresFollowers
from adapters.postgres.rebuilding import PostgresRebuilds
from projections.following import FOLLOWERS, INLINE, Outgoing, ProjectionKind
from tests.support import postgres
from tests.support.happenings import (
    Story,
    account,
    account_imported,
    account_noted,
    closed,
    company,
    company_noted,
    founded,
    hubspot_contact,
    hubspot_noted,
    issue,
    linked,
    pair,
    parked,
    salesforce_contact,
    salesforce_noted,
    summary,
    waits,
    write,
)

ROOT = Path(__file__).parents[2]
EVERY = (*INLINE, *FOLLOWERS)


@dataclass
class Filled:
    """A database in which something happened and was followed."""

    database: Database
    story: Story
    followers: PostgresFollowers
    rebuilds: PostgresRebuilds

    def follow(self) -> None:
        for name in FOLLOWERS:
            while self.followers.follow(name, limit=4):
                pass

    def execute(self, statement: str) -> None:
        with self.database.transaction() as connection:
            connection.execute(statement.encode())


@pytest.fixture
def filled() -> Iterator[Filled]:
    with postgres.database() as database:
        decisions = PostgresDecisions(database, inline=(audit.write_lines,))
        story = Story(decisions)
        decided = write(pair("a"))
        story.tell(
            founded(salesforce_contact("003000000000001AAA")),
            salesforce_noted("003000000000001AAA", email="a@b"),
            founded(hubspot_contact("77")),
            hubspot_noted("77", email="a@b"),
            linked("77", "003000000000001AAA"),
            founded(account("001000000000001AAA")),
            account_noted("001000000000001AAA", name="Acme"),
            account_imported("001000000000001AAA"),
            founded(company("5")),
            company_noted("5", name="Acme"),
            summary(pair("a"), amount="12.50"),
            waits(pair("a"), "catalog"),
            issue(pair("a"), "DS402", "owner"),
            parked(pair("a")),
            decided,
            closed(decided),
            summary(pair("b"), contact_ids=("77", "78"), is_won=True),
        )
        filled = Filled(database, story, PostgresFollowers(database), PostgresRebuilds(database))
        filled.follow()
        yield filled


@pytest.mark.parametrize("name", EVERY)
def test_folding_again_gives_the_live_rows(filled: Filled, name: str) -> None:
    found = filled.rebuilds.compare(name)

    assert found.differing == 0, found.differences
    assert found.rows > 0
    assert found.digest == filled.rebuilds.rebuild(name).digest


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("sync_status", "UPDATE sync_status SET state = 'stopped'"),
        ("sync_status", "DELETE FROM open_issue"),
        ("contact_rollup", "UPDATE contact_rollup SET total_revenue = '1000000'"),
        ("reactions", "INSERT INTO waiting_for (stream, key) SELECT stream, 'x' FROM sync_status"),
        ("record_identity", "UPDATE record_identity SET alive = false WHERE kind = 'company'"),
        ("outbound_write", "DELETE FROM outbound_write"),
        ("audit_line", "UPDATE audit_line SET reason = 'forged' WHERE kind = 'decided'"),
    ],
)
def test_what_differs_is_found_and_healed(filled: Filled, name: str, damage: str) -> None:
    filled.execute(damage)

    found = filled.rebuilds.compare(name)
    assert found.differing > 0
    assert found.differences
    assert filled.rebuilds.compare(name).differing == found.differing

    assert filled.rebuilds.rebuild(name).differing == found.differing
    assert filled.rebuilds.compare(name).differing == 0


def test_rebuilding_makes_nothing_due_and_moves_no_position(filled: Filled) -> None:
    while filled.followers.emit(_forget, limit=10):
        pass
    before = filled.rebuilds.states()
    filled.execute("DELETE FROM contact_rollup")

    for name in EVERY:
        filled.rebuilds.rebuild(name)

    assert filled.followers.unfinished() == 0
    assert [s.position for s in filled.rebuilds.states()] == [s.position for s in before]


def test_a_follower_that_lags_is_compared_where_it_is(filled: Filled) -> None:
    filled.story.tell(summary(pair("c"), contact_ids=("79",)))
    filled.followers.follow("sync_status", limit=10)

    assert filled.rebuilds.compare("contact_rollup").differing == 0
    assert filled.rebuilds.compare("sync_status").differing == 0
    lags = {state.name: state.lag for state in filled.rebuilds.states()}
    assert lags["sync_status"] == 0
    assert lags["contact_rollup"] == 1


def test_a_rebuilt_follower_goes_on_where_it_was(filled: Filled) -> None:
    filled.rebuilds.rebuild("sync_status")
    filled.story.tell(summary(pair("a"), state="stopped"))
    filled.follow()

    assert filled.rebuilds.compare("sync_status").differing == 0


def test_states_name_every_projection(filled: Filled) -> None:
    states = filled.rebuilds.states()

    assert [state.name for state in states] == list(EVERY)
    assert {s.name for s in states if s.kind is ProjectionKind.INLINE} == set(INLINE)
    assert all(state.rows > 0 and state.lag == 0 for state in states)


def test_no_way_leads_from_folding_to_a_crm() -> None:
    """Follow the imports from the folds and the rebuild: none is a gateway or the change log."""
    reached = {"adapters.postgres.rebuilding", "projections.signals", "projections.reactions"}
    todo = list(reached)
    while todo:
        for name in _imports(todo.pop()):
            if name not in reached:
                reached.add(name)
                todo.append(name)

    assert "adapters.postgres.followers" in reached
    forbidden = ("adapters.salesforce", "adapters.hubspot", "adapters.http_transport", "httpx2")
    closer = ("adapters.engine", "adapters.postgres.change_log", "adapters.postgres.deliveries")
    assert [n for n in reached if n.startswith((*forbidden, *closer))] == []


def test_what_is_due_is_never_folded_again() -> None:
    assert "reaction_due" not in {t for tables in rebuilding.TABLES.values() for t in tables}


def _forget(going: Outgoing) -> None:
    assert going is not None


def _imports(module: str) -> set[str]:
    path = ROOT / (module.replace(".", "/") + ".py")
    if not path.is_file():
        return set()
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names
