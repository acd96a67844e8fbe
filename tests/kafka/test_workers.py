"""Several workers share the partitions, and hand them over."""

import time

import pytest

from adapters.clock import SystemClock
from adapters.kafka_log.shared import SharedKafkaLog, WorkerReplacedError
from domain.ports import Topic
from tests.kafka.workers import crew, partitions_of, read_until


def _shared(*shares: SharedKafkaLog) -> bool:
    """Tell whether every partition is one worker's, and everybody has some.

    A worker learns at its next read that it lost some; the store refuses what it decides then.
    """
    held = [partitions_of(share) for share in shares]
    return all(held) and sorted(number for numbers in held for number in numbers) == list(range(8))


def test_equal_partition_numbers_of_all_topics_are_one_workers() -> None:
    with crew() as work:
        one, two = work.worker("one"), work.worker("two")

        read_until(lambda: _shared(one, two), one, two)

        assert partitions_of(one).isdisjoint(partitions_of(two))
        for share in (one, two):
            assert len(share.sources) == len(partitions_of(share)) * len(Topic)


def test_every_fact_is_read_by_the_worker_whose_partition_it_is_in() -> None:
    with crew() as work:
        one, two = work.worker("one"), work.worker("two")
        read_until(lambda: _shared(one, two), one, two)
        work.append(200)
        after: dict[str, int] = {}

        found = read_until(lambda: after == _heads(work.log.heads()), one, two, after=after)

        assert len(found) == 200
        assert all(logged.source in share.sources for share, logged in found)
        assert {share for share, _ in found} == {one, two}


def test_a_worker_that_ends_hands_over_at_once() -> None:
    with crew() as work:
        one, two = work.worker("one"), work.worker("two")
        read_until(lambda: _shared(one, two), one, two)

        begun = time.monotonic()
        one.close()
        read_until(lambda: partitions_of(two) == set(range(8)), two)

        assert time.monotonic() - begun < work.cluster.session_seconds


def test_a_worker_that_is_killed_and_comes_back_disturbs_nobody() -> None:
    with crew() as work:
        one, two = work.worker("one"), work.worker("two")
        read_until(lambda: _shared(one, two), one, two)
        had, assignments = partitions_of(one), two.assignments

        one._drop()  # noqa: SLF001 - as a kill does, it says nothing to the group
        again = work.worker("one")
        read_until(lambda: bool(partitions_of(again)), again, two)

        assert partitions_of(again) == had
        assert two.assignments == assignments


def test_the_others_take_over_from_a_worker_that_stays_away() -> None:
    with crew() as work:
        one, two = work.worker("one"), work.worker("two")
        read_until(lambda: _shared(one, two), one, two)

        one._drop()  # noqa: SLF001 - as a kill does, it says nothing to the group
        read_until(lambda: partitions_of(two) == set(range(8)), two)


def test_of_two_workers_with_one_name_the_earlier_is_told_to_stop() -> None:
    with crew() as work:
        earlier = work.worker("one")
        read_until(lambda: bool(earlier.sources), earlier)
        later = SharedKafkaLog(work.log, "one", work.bookmarks, SystemClock())
        read_until(lambda: bool(later.sources), later)

        with pytest.raises(WorkerReplacedError, match="named one"):
            read_until(lambda: False, earlier)
        with pytest.raises(WorkerReplacedError):
            earlier.read({}, limit=1)
        later.close()


def test_the_same_is_read_again_until_it_is_decided() -> None:
    with crew() as work:
        share = work.worker("one")
        read_until(lambda: bool(share.sources), share)
        work.append(30)
        after: dict[str, int] = {}
        read_until(lambda: len(share.read({}, limit=50)) == 30, share, after=after)

        first = share.read({}, limit=10)
        assert first == share.read({}, limit=10)
        (behind, *_) = first
        rest = share.read({behind.source: behind.offset}, limit=50)
        assert len(rest) == 29
        # What was decided may turn out not to be: then it comes again.
        read_until(lambda: behind in share.read({}, limit=50), share, after={}, limit=50)


def test_a_worker_does_not_hoard_what_it_cannot_decide_yet() -> None:
    with crew() as work:
        share = work.worker("one")
        read_until(lambda: bool(share.sources), share)
        work.append(4_000)

        for _ in range(20):
            assert len(share.read({}, limit=50)) <= 50

        assert sum(map(len, share._shelves.values())) <= 2 * 50 + 20  # noqa: SLF001


def _heads(heads: "dict[str, int] | object") -> dict[str, int]:
    assert isinstance(heads, dict)
    return {source: head for source, head in heads.items() if head >= 0}
