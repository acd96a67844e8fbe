"""A topic of published events in memory, which can fail in the middle, and a reader of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from adapters.partitions import partition_of
from domain.errors import RetryableError
from projections.publishing import CheckpointTaken, DecidedEvent, Place, Window, takes

PARTITIONS = 3


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it stands in a partition; no event: only the mark is told."""

    epoch: int
    mark: int
    previous: int
    event: DecidedEvent | None


def reached_whole(_record: Record) -> bool:
    """Let every record arrive."""
    return True


@dataclass
class Topic:
    """Partitions as lists; `arrives` says which records of a window do."""

    partitions: dict[int, list[Record]] = field(
        default_factory=lambda: {number: [] for number in range(PARTITIONS)}
    )
    arrives: Callable[[Record], bool] = reached_whole
    notes: list[CheckpointTaken] = field(default_factory=list)

    def send(self, window: Window) -> Mapping[int, int]:
        last = dict(window.before)
        lost = 0
        for event in window.events:
            partition = partition_of(event.stream, PARTITIONS)
            record = Record(window.epoch, window.mark, last.get(partition, 0), event)
            last[partition] = event.id
            if self.arrives(record):
                self.partitions[partition].append(record)
            else:
                lost += 1
        if lost:
            raise RetryableError(f"{lost} records were not acknowledged")
        if not window.events:
            self.partitions[0].append(Record(window.epoch, window.mark, 0, None))
        return last

    def note(self, note: CheckpointTaken) -> None:
        self.notes.append(note)

    def mark(self) -> int:
        """Return the highest mark that some record tells."""
        return max((r.mark for records in self.partitions.values() for r in records), default=0)

    def events(self) -> list[DecidedEvent]:
        """Return every event that stands somewhere, once."""
        found = {
            record.event.id: record.event
            for records in self.partitions.values()
            for record in records
            if record.event is not None
        }
        return [found[event_id] for event_id in sorted(found)]

    def read(self) -> dict[int, list[DecidedEvent]]:
        """Read every partition from its beginning, as a reader is told to."""
        return {number: self._read(records) for number, records in self.partitions.items()}

    def _read(self, records: list[Record]) -> list[DecidedEvent]:
        place = Place(epoch=0, event_id=0)
        taken = []
        for record in records:
            event = record.event
            if event is not None and takes(
                place, epoch=record.epoch, previous=record.previous, event_id=event.id
            ):
                place = Place(record.epoch, event.id)
                taken.append(event)
        return taken
