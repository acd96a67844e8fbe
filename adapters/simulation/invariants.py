"""What must hold of a world, checked by who believes nothing of the engine.

Read are the CRMs' own tables, histories and access logs, the log of facts, and the audit log. Each
check is named by the number that it has in the list of promises:

| id | promise |
|---|---|
| I1 | no opportunity is ever deleted by the engine |
| I2 | nothing but status and the put-back is written to a pair whose deal was seen moved out |
| I3 | a field whose rule forbids it is never written |
| I4 | no record gets a second counterpart |
| I6 | a record that was seen deleted is not made again |
| I7 | one edit causes a bounded number of writes |
| I8 | no delivered write without a decision, no decision without a fact |
| I14 | in calm, every field shows what the oracle says |
| I16 | in calm, the log has seen every living record as it is |
| I17 | nothing is parked, because nothing poisonous was fed |
| I18 | the followers' tables are what their events say |
| I19 | what changed in the CRMs is what the audit log says was delivered, both ways |
"""

from collections.abc import Iterator

from adapters.simulation import checks_in_calm, checks_of_history
from adapters.simulation.evidence import Evidence, Violation


def at_any_time(evidence: Evidence) -> Iterator[Violation]:
    """Yield what is wrong with the history so far."""
    for check in checks_of_history.CHECKS:
        yield from check(evidence)


def in_calm(evidence: Evidence) -> Iterator[Violation]:
    """Yield what is wrong once nothing moves any more."""
    for check in checks_in_calm.CHECKS:
        yield from check(evidence)
