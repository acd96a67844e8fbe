"""Two CRMs to try things on: the same paths and body shapes as the real ones, nothing of theirs.

`tables` holds a sandbox's whole state, `box` says what a sandbox is, `salesforce/` and `hubspot/`
are the two. `front` puts control API (`control`), faults and access log before one; `store` keeps
it over a restart; `http_skin` speaks HTTP and `webhook_sender` posts for it; `server` runs both,
new ones with the example company of `company`.
"""
