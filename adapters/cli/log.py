"""`log …`: the facts as they stand in the change log, one JSON object a line."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Annotated, Final

import typer

from adapters.cli.output import CommandFailure, ExitCode, JsonFlag, Output
from adapters.cli.session import open_session
from domain.ports import ChangeLog, LoggedFact, Topic

#: facts of one reading
PAGE_SIZE: Final = 1_000
TAIL_LINES: Final = 20
TAIL_LINES_MAX: Final = 10_000

app = typer.Typer(help="The log of facts.", no_args_is_help=True)

TopicOption = Annotated[
    str | None, typer.Option(help="Only the facts of this topic, such as crm.hubspot.changes.v1.")
]


@app.command()
def export(*, topic: TopicOption = None, json: JsonFlag = False) -> None:
    """Print all facts, by source and offset."""
    del json  # it is never anything else
    wanted = _checked(topic)
    output = Output(as_json=True)
    with open_session() as session:
        for logged in read_all(session.stores.log, wanted):
            output.line(shown(logged))


@app.command()
def tail(
    *,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=TAIL_LINES_MAX, help="How many facts.")
    ] = TAIL_LINES,
    topic: TopicOption = None,
    json: JsonFlag = False,
) -> None:
    """Print the latest facts, in the order in which they happened."""
    del json  # it is never anything else
    wanted = _checked(topic)
    output = Output(as_json=True)
    with open_session() as session:
        log = session.stores.log
        heads = {
            source: head
            for source, head in log.heads().items()
            if wanted is None or source.startswith(f"{wanted}:")
        }
        after = {
            source: max(head - lines, -1) if source in heads else head
            for source, head in log.heads().items()
        }
        latest = deque(
            sorted(_pages(log, after, heads), key=lambda logged: logged.fact.at), maxlen=lines
        )
    for logged in latest:
        output.line(shown(logged))


def read_all(log: ChangeLog, topic: Topic | None) -> Iterator[LoggedFact]:
    """Return every fact that stands in the log now, source by source."""
    heads = log.heads()
    for source in sorted(heads):
        if topic is None or source.startswith(f"{topic}:"):
            others = {other: head for other, head in heads.items() if other != source}
            for logged in _pages(log, others, heads):
                if logged.source == source:
                    yield logged


def shown(logged: LoggedFact) -> dict[str, object]:
    """Return a fact as one line says it."""
    topic, partition = logged.source.rsplit(":", 1)
    return {
        "schema": "dealsync.fact/1",
        "topic": topic,
        "partition": int(partition),
        "offset": logged.offset,
        "type": logged.fact.TOPIC,
        "fact": logged.fact.model_dump(mode="json"),
    }


def _pages(
    log: ChangeLog, after: Mapping[str, int], heads: Mapping[str, int]
) -> Iterator[LoggedFact]:
    """Return the facts behind some offsets, up to the heads as they were."""
    position = dict(after)
    while any(position.get(source, -1) < head for source, head in heads.items()):
        found = log.read(position, limit=PAGE_SIZE)
        if not found:
            return
        for logged in found:
            position[logged.source] = max(logged.offset, position.get(logged.source, -1))
            if logged.offset <= heads.get(logged.source, -1):
                yield logged


def _checked(topic: str | None) -> Topic | None:
    try:
        return None if topic is None else Topic(topic)
    except ValueError as error:
        raise CommandFailure(
            "unknown_topic",
            f"expected one of {', '.join(Topic)}, found {topic!r}",
            exit_code=ExitCode.WRONG_INPUT,
        ) from error
