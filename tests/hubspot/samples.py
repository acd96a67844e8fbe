"""Bodies as HubSpot sends them, in files of their own; ids and words are invented."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "wire" / "hubspot"


def sample(name: str) -> bytes:
    """Return a body."""
    return (FOLDER / f"{name}.json").read_bytes()
