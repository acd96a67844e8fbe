"""A HubSpot account to try things on: HubSpot's paths, bodies and habits over `Tables`.

Read `box` first: a request is signed in (`actors`), counted (`limits`), routed (`router`) and
answered by `objects`, `batch`, `search`, `merging`, `association_paths`, `pipeline_paths`,
`properties`, `owners`, `account`, `subscriptions`. All writing of records is in `records`, with
`checking` (which values are taken), `habits` (what HubSpot sets itself), `unique` and `webhooks`;
`deliveries` sends these. `computed` and `showing` are the reading side, `actions` the screens.
"""
