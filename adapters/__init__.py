"""Everything with a side effect: each sub-package is a plug of one kind; `bootstrap` wires them.

Sub-packages do not know each other. What they share lies beside them: `codec`, `http_transport`,
`partitions`, `source`, `home`, `settings`, `telemetry`, `clock`.
"""
