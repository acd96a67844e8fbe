"""`topics …`: the topics in Kafka as they must be, as they are, and how far each is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Final

import typer

from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output
from adapters.cli.session import Session, is_home, load_settings, open_session
from adapters.home import ROLES, HomeLock
from adapters.kafka_log import generations
from adapters.kafka_log.client import cluster_of
from adapters.kafka_log.generations import Loss
from adapters.kafka_log.log import KafkaChangeLog
from adapters.kafka_log.topics import Difference, Plan
from adapters.kafka_log.topics import apply as apply_plan
from adapters.kafka_log.topics import plan as make_plan
from domain.ports import Advance, Batch

app = typer.Typer(help="The topics in Kafka.", no_args_is_help=True)

Partitions = Annotated[
    int | None,
    typer.Option(
        min=1, max=1_000, help="Partitions of every topic; default: as many as there are, else 8."
    ),
]
Replication = Annotated[
    int | None,
    typer.Option(min=1, max=9, help="Replicas of a new topic; default: 3, or one a broker."),
]
_DONE: Final = {"create": "made", "grow": "grown", "set": "set", "drift": "not mended"}


@dataclass(frozen=True, slots=True)
class _Source:
    """How far one partition is decided."""

    source: str
    begin: int
    head: int
    position: int

    @property
    def lag(self) -> int:
        """Facts that wait."""
        return max(0, self.head - max(self.position, self.begin - 1))


@app.command()
def plan(
    *, partitions: Partitions = None, replication: Replication = None, json: JsonFlag = False
) -> None:
    """Say what `apply` would do, and what it cannot."""
    found = make_plan(cluster_of(load_settings()), partitions=partitions, replication=replication)
    _show(Output(as_json=json), found, {kind: kind for kind in _DONE})


@app.command()
def apply(
    *, partitions: Partitions = None, replication: Replication = None, json: JsonFlag = False
) -> None:
    """Make the topics that are missing, and set what differs. No record is touched."""
    found = apply_plan(cluster_of(load_settings()), partitions=partitions, replication=replication)
    _show(Output(as_json=json), found, _DONE)
    if found.drift:
        raise typer.Exit(ExitCode.FINDINGS)


@app.command()
def check(*, json: JsonFlag = False) -> None:
    """Say what is not as it must be, how far each source is decided, and whether facts are lost."""
    output = Output(as_json=json)
    settings = load_settings()
    found = make_plan(cluster_of(settings))
    sources: tuple[_Source, ...] = ()
    lost: tuple[Loss, ...] = ()
    if is_home(settings) and not any(one.kind == "create" for one in found.differences):
        with open_session() as session:
            log = session.stores.logs.kafka
            if log is not None:
                sources, lost = _sources(session, log), _losses(session, log)
    output.show(
        "topics",
        {
            "partitions": found.partitions,
            "differences": [asdict(one) for one in found.differences],
            "sources": [{**asdict(one), "lag": one.lag} for one in sources],
            "lost": [asdict(one) for one in lost],
        },
        lambda console: console.print(
            "\n".join(_words(found.differences, sources, lost)), markup=False
        ),
    )
    if found.differences or lost:
        raise typer.Exit(ExitCode.FINDINGS)


@app.command("accept-loss")
def accept_loss(*, json: JsonFlag = False) -> None:
    """Go on behind facts that are gone for ever. Stop every worker first, on every machine."""
    output = Output(as_json=json)
    with open_session() as session:
        log = session.stores.logs.kafka
        if log is None:
            raise CommandFailure(
                "no_kafka",
                "expected the log in Kafka, found it in PostgreSQL, which loses nothing",
                exit_code=ExitCode.WRONG_INPUT,
            )
        command = "dealsync topics accept-loss"
        with HomeLock(session.home, ROLES, command=command, at=session.clock.now()):
            lost = _losses(session, log)
            _go_on(session, lost)
            generations.remember(generations.topic_ids(log.cluster), session.stores.bookmarks)
    output.rows(
        "loss",
        [asdict(one) for one in lost],
        {"source": "source", "position": "was at", "goes_on_after": "now at", "reason": "why"},
        empty="nothing is lost",
    )
    if lost:
        output.hint("next: start the workers, then `dealsync import opportunities --all`")


def _sources(session: Session, log: KafkaChangeLog) -> tuple[_Source, ...]:
    positions = session.stores.decisions.positions()
    begins = log.begins()
    return tuple(
        _Source(source, begins[source], head, positions.get(source, -1))
        for source, head in sorted(log.heads().items())
    )


def _losses(session: Session, log: KafkaChangeLog) -> tuple[Loss, ...]:
    begins = log.begins()
    return generations.losses(
        begins.keys(),
        session.stores.decisions.positions(),
        ids=generations.topic_ids(log.cluster),
        known_ids=session.stores.bookmarks,
        begins=begins,
        ends={source: head + 1 for source, head in log.heads().items()},
    )


def _go_on(session: Session, lost: Sequence[Loss]) -> None:
    """Move the positions, in the transaction by which a worker would."""
    if not lost:
        return
    decisions = session.stores.decisions
    batch = Batch(
        as_of=decisions.last_event_id(),
        advances=tuple(Advance(one.source, one.position, one.goes_on_after) for one in lost),
        events=(),
    )
    decisions.commit(batch, lambda _: batch)


def _show(output: Output, found: Plan, words: Mapping[str, str]) -> None:
    output.rows(
        "topic_difference",
        [{**asdict(one), "kind": words[one.kind]} for one in found.differences],
        {"topic": "topic", "kind": "what", "what": "of", "found": "found", "wanted": "wanted"},
        empty=f"every topic is as it must be, {found.partitions} partitions each",
    )


def _words(
    differences: Sequence[Difference], sources: Sequence[_Source], lost: Sequence[Loss]
) -> list[str]:
    lines = [
        f"{one.topic}: {one.what}: expected {one.wanted}, found {one.found or 'none'}"
        for one in differences
    ] or ["every topic is as it must be"]
    by_topic: dict[str, list[_Source]] = {}
    for one in sources:
        by_topic.setdefault(one.source.rpartition(":")[0], []).append(one)
    for topic, of_topic in by_topic.items():
        facts = sum(one.head + 1 - one.begin for one in of_topic)
        lag = sum(one.lag for one in of_topic)
        lines.append(f"{topic}: {facts} facts in {len(of_topic)} partitions, {lag} not decided")
    lines += [f"LOST {one.source}: {one.reason}" for one in lost]
    return lines
