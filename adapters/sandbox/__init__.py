"""Two CRMs to try things on: the same paths and body shapes as the real ones, nothing of theirs.

`tables` holds a sandbox's whole state, `box` says what a sandbox is, `salesforce/` and `hubspot/`
are the two, `front` puts faults, access log and control API before one, `server` serves both.
"""
