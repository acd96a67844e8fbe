"""`dealsync run` several times: the workers share the work, and go on when one is gone."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.user import User
from tests.support.accounts import settings_of
from tests.support.backing import kafka_and_tcp
from tests.support.program import Program, dealsync_here, eventually

FREE_PORTS = ("--salesforce-port", "0", "--hubspot-port", "0")


@dataclass
class Site:
    """A home, and settings with which any number of workers may be started on it."""

    home: Path
    settings: Mapping[str, str]
    stack: ExitStack

    def call(self, *arguments: str) -> dict[str, Any]:
        ended = dealsync_here(self.home, *arguments, "--json", settings=self.settings)
        assert ended.code == 0, ended.out + ended.err
        return ended.json

    def worker(self, name: str, *options: str) -> Program:
        program = Program(self.home, "run", "--worker", name, *options, settings=self.settings)
        self.stack.enter_context(program)
        return program.wait_ready()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        sandboxes = stack.enter_context(
            Program(tmp_path / "sandboxes", "sandbox", "--empty", *FREE_PORTS)
        )
        sandboxes.wait_ready()
        settings = {**settings_of(sandboxes, tmp_path), **kafka_and_tcp()}
        made = Site(tmp_path / "home", settings, stack)
        (tmp_path / "dealsync.toml").write_text(
            "[switches]\ndeal_sync = true\n[polling]\nsalesforce_seconds = 0.2\n", encoding="utf-8"
        )
        made.call("topics", "apply")
        made.call("policy", "adopt", str(tmp_path / "dealsync.toml"))
        made.call("setup")
        yield made


def _edit_and_wait(user: User, opportunities: list[str], amount: int) -> None:
    for opportunity in opportunities:
        user.edit_opportunity(opportunity, Amount=amount)
    eventually(
        lambda: all(
            float((user.deal_of(one) or {"amount": None})["amount"] or 0) == amount
            for one in opportunities
        ),
        seconds=60,
    )


def test_two_workers_go_on_when_one_is_killed(site: Site) -> None:
    one, two = site.worker("one"), site.worker("two")
    user = User(one)
    names = [f"Deal {n}" for n in range(12)]
    opportunities = [user.create_opportunity(name, Amount=1) for name in names]
    _edit_and_wait(user, opportunities, 100)
    loops = site.call("status")["loops"]
    assert all("dealsync run --worker" in str(who) for who in loops.values())

    one.kill()  # it led ingest, held partitions, and perhaps was in the middle of a call
    _edit_and_wait(user, opportunities, 200)
    again = site.worker("one")
    _edit_and_wait(user, opportunities, 300)

    assert two.until_quiet(60.0)["rejected"] == 0
    deals = [user.deal_of(opportunity) for opportunity in opportunities]
    assert len({deal["id"] for deal in deals if deal}) == len(names)
    assert again.stop() == two.stop() == 0


def test_each_loop_may_run_apart_and_twice(site: Site) -> None:
    for loop in ("ingest", "decide", "project", "deliver"):
        site.worker(f"{loop}-1", "--only", loop)
    more = [site.worker(f"{loop}-2", "--only", loop) for loop in ("decide", "deliver")]
    user = User(more[0])
    opportunity = user.create_opportunity("Apart", Amount=5)
    _edit_and_wait(user, [opportunity], 50)
    refused = dealsync_here(
        site.home, "run", "--worker", "decide-1", "--only", "decide", settings=site.settings
    )

    assert refused.code == 1
    assert "decide-1" in refused.err
