"""Puts the program together: the one package that knows every plug.

| file | what |
|---|---|
| `stores` | everything that is kept in the database, opened for a home |
| `accounts` | where the two CRMs are and how we sign in: real ones, or the sandboxes |
| `present` | the policy and the catalog as decided by now |
| `crms` | sources and gateways |
| `loops` | the four loops, ready to be stepped |
| `requests` | what an operator asks of the engine, and the answers |
| `quiet` | what still moves, for `wait` |

It wires and decides nothing: no rule, no SQL, no HTTP stands here.
"""
