"""What dealsync decides, and nothing else: pure functions over frozen values.

The flow is ingest → decide → project → deliver; this package is *decide*. A **fact** (`facts`)
says what happened; an aggregate's `decide` answers with **events** (`events`), among them the
**writes** (`writes`) that a CRM should carry out; `evolve` folds events into the aggregate's state.
Nothing here reads a clock, draws a random number or does I/O: time, ids and policy are arguments.

Read in this order: `facts`, `events`, `writes`; then `ids`, `canonical`, `mapping`, `registers`;
then the aggregates `pair` (with `pair_history`), `contact`, `account`, `catalog`, `adoption`; then
`rules`, one behaviour a module, and `pairing`, their order; last `deciding`, which routes a fact to
its aggregate, and `ports`, what the engine needs.
"""
