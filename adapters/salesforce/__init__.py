"""Salesforce: signing in, reading what changed, and sending what was decided.

Reading order: `errors`, `wire`, `auth`, `connection` (the line); `names`, `soql`, `schema`,
`translate`, `reader`, `catalog` (reading); `changes`, `known`, `piece`, `poller`, `sweep`,
`reconcile`, `source` (what changed); `row_writes`, `custom_field`, `gateway` (writing). Nothing
here decides a sync rule; nothing outside knows a field of Salesforce by name, except as policy.
"""
