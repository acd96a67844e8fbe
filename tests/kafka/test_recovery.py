"""The database is lost, twice: everything comes back from Kafka alone, and nothing is doubled.

First while all is quiet: then what comes back is what was there, digest by digest. Then while a
person works and the engine writes: then it is what was there up to the cut, and the rest is decided
anew; both CRMs converge.
"""

import time
from collections.abc import Iterator

import pytest

from tests.kafka.lost_database import (
    LosingWorld,
    digests,
    digests_up_to,
    head_of,
    losing_world,
)

WORKING_SECONDS = 8.0
#: decided, written to the CRMs, and not published when the database is lost
UNPUBLISHED_SECONDS = 3.0
#: edits go on while nobody can decide anything
WITHOUT_SECONDS = 3.0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LosingWorld]:
    with losing_world(tmp_path_factory.mktemp("lost")) as made:
        yield made


def test_a_lost_database_comes_back_from_kafka(world: LosingWorld) -> None:
    story = world.begin_story(seed=1)
    time.sleep(WORKING_SECONDS / 2)

    story.pause()
    _lose_in_the_quiet(world)
    story.go_on()
    said = _lose_under_load(world)

    time.sleep(WITHOUT_SECONDS)
    story.stop()
    world.until_quiet()
    assert world.wrong(story) == [], said
    world.stop()
    assert world.errors == []
    assert world.must("projections", "compare", "--json").json["items"]


def _lose_in_the_quiet(world: LosingWorld) -> None:
    """Every event and every row of every projection is the same again."""
    world.until_quiet()
    world.until_published()
    world.stop()
    lost = world.lose_database()
    head = head_of(lost)
    world.new_database()
    refused = world.dealsync("run")
    assert "expected empty topics for an empty database" in refused.err
    said = world.recover()

    assert (said["epoch"], said["cut"], said["left_out"]) == (1, head, 0)
    assert said["digests"] == digests(lost)
    world.start().wait_ready()


def _lose_under_load(world: LosingWorld) -> dict[str, object]:
    """Up to the cut all is the same again; what was beyond it is gone, and decided anew."""
    time.sleep(WORKING_SECONDS)
    lost = world.lose_unpublished(UNPUBLISHED_SECONDS)
    time.sleep(WITHOUT_SECONDS)
    world.kill()
    world.new_database()
    said = world.recover()

    assert said["epoch"] == 2
    assert said["cut"] < head_of(lost), "something was decided and written beyond the cut"
    assert said["digests"] == digests_up_to(lost, said["cut"])
    world.start().wait_ready()
    return said
