"""Salesforce: signing in, reading what changed, and sending what was decided.

Reading order: `errors`, `auth`, `connection`, `wire`, `translate`, `schema`, `reader`, `catalog`,
`source`, `gateway`. Nothing here decides a sync rule; nothing outside knows a field of Salesforce
by name, except as policy.
"""
