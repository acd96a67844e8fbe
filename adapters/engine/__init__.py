"""The four loops: ingest, decide, project, deliver.

Each is a `step(at)` of bounded work. Production repeats it, the simulation schedules it, a test
calls it. A crash between or within steps loses nothing: each module says what happens where.

Decide is `decide` (the loop and the transaction), over `sheet` (one batch, fact by fact) over
`known` (what a worker remembers); `rules` is what it asks of the domain, `domain_rules` the answer.
"""
