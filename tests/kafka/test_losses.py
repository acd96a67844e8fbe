"""Facts that are gone undecided are an alarm, and deciding goes on only when a person says so."""

import pytest
from kafka import KafkaAdminClient, TopicPartition

from adapters.clock import SystemClock
from adapters.kafka_log import generations, topics
from adapters.kafka_log.generations import FactsLostError
from adapters.kafka_log.log import KafkaChangeLog
from adapters.memory.bookmarks import MemoryBookmarks
from adapters.partitions import partition_of
from domain.ports import Topic
from tests.kafka.workers import Crew, crew, keyed, read_until

SOURCE = f"sync.signals.v1:{partition_of('key one')}"


def _admin(work: Crew) -> KafkaAdminClient:
    return KafkaAdminClient(bootstrap_servers=list(work.cluster.servers))


def _delete_up_to(work: Crew, source: str, offset: int) -> None:
    """Do what retention does."""
    topic, _, partition = source.rpartition(":")
    admin = _admin(work)
    admin.delete_records({TopicPartition(work.cluster.name(topic), int(partition)): offset})
    admin.close()


def _make_anew(work: Crew, topic: Topic) -> None:
    admin = _admin(work)
    admin.delete_topics([work.cluster.name(topic)])
    admin.close()
    topics.apply(work.cluster)


def test_undecided_facts_that_were_deleted_raise_an_alarm() -> None:
    with crew() as work:
        work.log.append([keyed("one")] * 5)
        _delete_up_to(work, SOURCE, 3)
        share = work.worker("one")

        with pytest.raises(FactsLostError, match=r"from offset 1, .* left is 3: 2 undecided"):
            read_until(lambda: False, share, after={SOURCE: 0})


def test_facts_that_are_deleted_while_a_worker_reads_raise_it_too() -> None:
    with crew() as work:
        share = work.worker("one")
        read_until(lambda: bool(share.sources), share)
        for _ in range(3):
            work.log.append([keyed("one")] * 5)
        _delete_up_to(work, SOURCE, 12)
        share._drop()  # noqa: SLF001 - what it had fetched before does not count as lost

        with pytest.raises(FactsLostError):
            read_until(lambda: False, share, after={SOURCE: 4})


def test_decided_facts_may_be_deleted() -> None:
    with crew() as work:
        work.log.append([keyed("one")] * 5)
        _delete_up_to(work, SOURCE, 3)
        share, after = work.worker("one"), {SOURCE: 2}

        found = read_until(lambda: after[SOURCE] == 4, share, after=after)

        assert [logged.offset for _, logged in found] == [3, 4]


def test_a_topic_made_anew_is_noticed_even_when_it_has_grown_again() -> None:
    with crew() as work:
        work.log.append([keyed("one")] * 3)
        share, after = work.worker("one"), dict[str, int]()
        read_until(lambda: after == {SOURCE: 2}, share, after=after)
        share.close()
        _make_anew(work, Topic.SIGNALS)
        log = KafkaChangeLog(work.cluster, SystemClock())
        log.append([keyed("one")] * 9)
        log.close()

        with pytest.raises(FactsLostError, match="made anew"):
            read_until(lambda: False, work.worker("two"), after=after)


def test_positions_of_another_log_are_not_taken_for_this_ones() -> None:
    with crew() as work:
        work.log.append([keyed("one")] * 5)
        work.bookmarks = MemoryBookmarks()

        with pytest.raises(FactsLostError, match="another one"):
            read_until(lambda: False, work.worker("one"), after={SOURCE: 1})


def test_all_that_is_lost_is_told_with_where_deciding_would_go_on() -> None:
    with crew() as work:
        work.log.append([keyed("one")] * 5)
        _delete_up_to(work, SOURCE, 4)

        begins, ends = work.log.begins(), {s: h + 1 for s, h in work.log.heads().items()}
        (lost,) = generations.losses(
            begins.keys(),
            {SOURCE: 1},
            ids=generations.topic_ids(work.cluster),
            known_ids=work.bookmarks,
            begins=begins,
            ends=ends,
        )

        assert (lost.source, lost.position, lost.goes_on_after) == (SOURCE, 1, 3)
