"""HubSpot as a source of facts and as a place to write to.

Read in this order: `wire` parses what HubSpot answers, `translate` and `catalog` make facts of it,
`reader` asks for it, `source` decides what to read when (with `search`, `sweep`), `gateway` carries
out writes, `errors` says what refusals mean, `auth` who we are; `signature` and `webhook` take what
HubSpot sends by itself. Nothing here decides what should be written.
"""
