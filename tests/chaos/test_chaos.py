"""Workers, brokers and the database fail under load, again and again; then everything converges.

`CYCLES` says how often (12 if it is not set), `CHAOS_SEED` which story is told and what befalls
whom. How far each got is a matter of time, so that no two runs are quite the same.
"""

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.disasters import DISASTERS, drawn
from tests.chaos.judging import judge
from tests.chaos.report import Cycle, Report
from tests.chaos.site import WORKERS, ChaosWorld, chaos_world
from tests.crash.person import Person
from tests.crash.story import Story

#: kafka-python leaves a socket to the garbage collector each time nobody answers
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

CYCLES = int(os.environ.get("CYCLES", "12"))
SEED = int(os.environ.get("CHAOS_SEED", "1"))
#: opportunities and deals: some more for each cycle, so that there always are some to create
RECORDS_MAX = 40 + CYCLES


def test_nothing_is_lost_whoever_fails(tmp_path: Path, reports: list[Report]) -> None:
    """Rules `once`, `nothing-lost`, `order`, `echo`, `explain`."""
    report = Report("chaos")
    reports.append(report)
    begun = time.monotonic()
    with chaos_world(tmp_path) as world:
        story = Story(Person(world.crms), random.Random(SEED), records_max=RECORDS_MAX)  # noqa: S311 - a story, no secret
        try:
            _one_after_the_other(world, story, report)
            world.let_crms_work()
            report.figures["converged after"] = f"{world.until_converged():.1f} s"
            report.figures |= judge(world, story)
            for worker in WORKERS:
                world.stop_worker(worker)
        finally:
            report.figures["refused"] = {
                "batches of zombies": world.logged("fenced"),
                "sleepers in mid-transaction": world.cut_off(),
                "leaders that had slept": world.logged("lead lost"),
            }
            report.figures["seconds"] = round(time.monotonic() - begun)
            report.write()
        assert world.errors == []
    times = Counter(cycle.kind for cycle in report.cycles)
    assert set(times) == set(DISASTERS), f"expected every kind of disaster, found {times}"
    assert any(report.figures["refused"].values()), "expected a zombie to be refused"


def _one_after_the_other(world: ChaosWorld, story: Story, report: Report) -> None:
    dice = random.Random(SEED)  # noqa: S311 - no secret
    world.let_crms_fail()
    story.start()
    try:
        for kind in drawn(CYCLES, dice):
            begun = time.monotonic()
            DISASTERS[kind](world, dice)
            lasted = time.monotonic() - begun
            assert story.failure is None, "the person's acts succeed, whatever fails"
            decided_after, written_after = world.wait_recovered()
            report.cycles.append(Cycle(kind, lasted, decided_after, written_after))
            report.write()
    finally:
        report.figures["struck at the CRMs"] = world.struck()
        story.stop()
