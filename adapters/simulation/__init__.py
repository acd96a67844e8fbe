"""A whole world in one thread: two CRMs, the people in them, the engine, faults and a clock.

Everything follows from one seed: no real time, thread, socket or chance. The CRMs are the sandboxes
by direct call, the engine is the real one on in-memory ports, and every step is chosen.

| file | what |
|---|---|
| `dice` | what chance looks like from inside: draws that follow from a seed |
| `chronicle` | everything that really happened in the CRMs, in order: the witness |
| `wire` | how requests reach the CRMs: latency, faults, the chronicle |
| `stores` | the in-memory ports of one world |
| `faults` | crashes, sleeps and interruptions around every port call |
| `poison` | facts that cannot be decided until somebody mends them |
| `postman` | how webhooks reach us |
| `mishaps` | what befell a world, by the numbers of the fault catalogue |
| `engine` | the loops as actors that can die and come again |
| `people`, `sellers`, `marketers` | what people do, at their `desks`, by their `plans` |
| `quiet`, `restless` | what still moves, and what never comes to rest |
| `policies`, `operators` | what the operators decide and ask for |
| `schedule` | who moves next |
| `sight` | what both CRMs show, in words that can be compared |
| `oracle` | what both CRMs should show in the end, by the chronicle alone |
| `invariants`, `checks_*` | what must hold, checked by who believes nothing of the engine |
| `world` | one seed from the first day to the calm at its end |

It must not be imported by the engine, and no rule of the sync is asked in the checks.
"""
