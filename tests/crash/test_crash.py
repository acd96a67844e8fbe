"""The engine is killed at random points in the middle of the story; then everything converges.

`CRASHES` says how often (50 if it is not set), `CRASH_SEED` which story is told and when the kills
come. How far each got is a matter of time, so that no two runs are quite the same.
"""

import json
import os
import random
import time
from pathlib import Path

from tests.crash import verifier
from tests.crash.person import Person
from tests.crash.story import Story
from tests.crash.world import SETUP_KILLS, World, alive, world

CRASHES = int(os.environ.get("CRASHES", "50"))
SEED = int(os.environ.get("CRASH_SEED", "1"))
#: several times what a poll and a write take
AFTERWARDS_SECONDS = 2.0


def test_a_killed_engine_goes_on_where_it_was(tmp_path: Path, figures: list[str]) -> None:
    """Rules `once`, `nothing-lost`, `order`, `echo`, `explain`."""
    begun = time.monotonic()
    with world(tmp_path) as made:
        story = Story(Person(made.crms), random.Random(SEED))  # noqa: S311 - a story, no secret
        _kill_again_and_again(made, story)
        made.start().wait_ready()
        made.until_quiet()
        unknown = _verify(made, story)
        _stays_quiet(made)
        made.stop()
        assert made.errors == []
        _leaves_nothing(made)
    done = ", ".join(f"{count} {what}" for what, count in sorted(story.done.items()))
    figures.append(
        f"crash: seed {SEED}, {SETUP_KILLS + CRASHES} kills, {done}, {unknown} writes of"
        f" unknown result, {time.monotonic() - begun:.0f} s"
    )


def _kill_again_and_again(made: World, story: Story) -> None:
    dice = random.Random(SEED)  # noqa: S311 - no secret
    story.start()
    try:
        for _ in range(CRASHES):
            made.start()
            made.kill_at_random(dice)
    finally:
        story.stop()


def _verify(made: World, story: Story) -> int:
    """Check both CRMs, their access logs and the audit log; return how many writes were unknown."""
    exported = made.must("audit", "export").out
    audit = made.home.parent / "audit.jsonl"
    audit.write_text(exported, encoding="utf-8")
    lines = [json.loads(line) for line in exported.splitlines()]
    calls = {
        "salesforce": made.engine_calls(made.salesforce_url),
        "hubspot": made.engine_calls(made.hubspot_url),
    }
    wrong = [
        *verifier.counterparts(story.person, story),
        *verifier.values(story.person, story, lines),
        *verifier.contacts(story.person, story),
        *verifier.audit(calls, lines),
    ]
    assert wrong == [], "\n".join([*wrong, f"the audit log is in {audit}"])
    return sum(line["kind"] == "unknown" for line in lines)


def _stays_quiet(made: World) -> None:
    """After convergence nothing more is written, even if everything is read once more."""
    before = [made.engine_calls(url) for url in (made.salesforce_url, made.hubspot_url)]
    time.sleep(AFTERWARDS_SECONDS)
    made.until_quiet()
    assert before == [made.engine_calls(url) for url in (made.salesforce_url, made.hubspot_url)]


def _leaves_nothing(made: World) -> None:
    """No process is left over: neither of an engine that was killed nor of the database."""
    left = made.database_processes()
    made.must("reset")
    assert alive(left) == set()
    assert made.database_processes() == set()
