"""What a chaos run was made of: `build/chaos.json`, and a table for people."""

import json
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parents[2] / "build"


@dataclass(frozen=True, slots=True)
class Cycle:
    """One disaster."""

    kind: str
    #: from its begin until it was mended
    lasted: float
    #: from then until every fact was decided that stood in Kafka then
    decided_after: float
    #: from then until something was written to a CRM
    written_after: float


@dataclass
class Report:
    """Fills up while the run goes on."""

    name: str
    cycles: list[Cycle] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def write(self) -> Path:
        """Write it down."""
        path = FOLDER / f"{self.name}.json"
        path.parent.mkdir(exist_ok=True)
        said = {**self.figures, "cycles": [asdict(cycle) for cycle in self.cycles]}
        path.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
        return path

    def lines(self) -> Iterator[str]:
        """Yield a table: a row a kind of disaster, and the figures below."""
        yield f"{'disaster':<18}{'times':>6}{'away':>8}{'decided after':>22}{'written after':>22}"
        yield f"{'':<18}{'':>6}{'median':>8}{'median':>14}{'worst':>8}{'median':>14}{'worst':>8}"
        for kind in dict.fromkeys(sorted(cycle.kind for cycle in self.cycles)):
            found = [cycle for cycle in self.cycles if cycle.kind == kind]
            away, decided, written = (
                [getattr(cycle, name) for cycle in found]
                for name in ("lasted", "decided_after", "written_after")
            )
            yield (
                f"{kind:<18}{len(found):>6}{statistics.median(away):>7.1f}s"
                f"{statistics.median(decided):>13.1f}s{max(decided):>7.1f}s"
                f"{statistics.median(written):>13.1f}s{max(written):>7.1f}s"
            )
        yield from (f"{name}: {_words(value)}" for name, value in self.figures.items())


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {name}" for name, count in value.items())
    return str(value)
