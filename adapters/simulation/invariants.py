"""What must hold of a world, checked by who believes nothing of the engine.

Read are the CRMs' own tables, histories and access logs, the log of facts, and the audit log. Each
check is named by the number that it has in the list of promises:

| id | promise |
|---|---|
| I1 | no opportunity is ever deleted by the engine |
| I2 | nothing but status and the put-back is written to a pair whose deal was seen moved out |
| I3 | a field whose rule forbids it is never written |
| I4 | no record gets a second counterpart |
| I5 | no newer value of a person's is overwritten by an older one that its author had seen |
| I6 | a record that was seen deleted is not made again |
| I7 | one edit causes a bounded number of writes |
| I8 | no delivered write without a decision, no decision without a fact |
| I9 | no window holds more calls than a CRM allows |
| I11 | positions pass no fact that left no event, and never go back |
| I12 | amounts are copied to the last digit |
| I14 | in calm, every field shows what the oracle says, and every record its counterpart |
| I15 | in calm, everything is quiet after a bounded number of rounds (`world`) |
| I16 | in calm, the log has seen every living record as it is |
| I17 | only what was poisoned is parked, with what follows it on its stream and nothing else |
| I18 | the followers' tables are what their events say |
| I19 | what changed in the CRMs is what the audit log says was delivered, both ways |
| I22 | every write comes from something that a CRM showed or a person asked for |
| I24 | the same seed is the same world, whatever the hash seed (`tests/simulation`) |
"""

from collections.abc import Iterator

from adapters.simulation import (
    checks_in_calm,
    checks_of_books,
    checks_of_history,
    checks_of_records,
    checks_of_values,
)
from adapters.simulation.evidence import Evidence, Violation


def at_any_time(evidence: Evidence) -> Iterator[Violation]:
    """Yield what is wrong with the history so far."""
    for check in (*checks_of_history.CHECKS, *checks_of_books.CHECKS, *checks_of_values.CHECKS):
        yield from check(evidence)


def in_calm(evidence: Evidence) -> Iterator[Violation]:
    """Yield what is wrong once nothing moves any more."""
    for check in (*checks_in_calm.CHECKS, *checks_of_records.CHECKS):
        yield from check(evidence)
