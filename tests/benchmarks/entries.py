"""The lines of a benchmark's report: medians over the rounds, ratios round by round."""

from collections.abc import Sequence
from statistics import median
from typing import TypedDict


class Entry(TypedDict):
    """One line of the report."""

    name: str
    value: float
    unit: str
    baseline: float | None
    ratio: float | None
    target: float | None
    better: str
    peak_memory_mb: float | None


def entry(
    name: str,
    unit: str,
    values: Sequence[float],
    baselines: Sequence[float] = (),
    *,
    peaks_mb: Sequence[float] = (),
    target: float | None = None,
) -> Entry:
    """Return a line of the report.

    Args:
        name: what was measured.
        unit: `…/s` is better higher, all else lower.
        values: a figure a round.
        baselines: what each round's ratio is of; may be fewer.
        peaks_mb: the most memory of each process.
        target: what is wished for: of the ratio, or of the figure where there is none.
    """
    ratios = [value / baseline for value, baseline in zip(values, baselines, strict=False)]
    return {
        "name": name,
        "value": round(median(values), 1),
        "unit": unit,
        "baseline": round(median(baselines), 1) if baselines else None,
        "ratio": round(median(ratios), 2) if ratios else None,
        "target": target,
        "better": "higher" if unit.endswith("/s") else "lower",
        "peak_memory_mb": round(max(peaks_mb), 1) if peaks_mb else None,
    }
