"""A Salesforce org in a sandbox: the same paths, bodies and habits, as far as a sync meets them.

`box` is the object that answers; `routes` and `handlers` know the paths. `records`, `checks`,
`effects`, `automation` and `deletion` are one save, `rows` many of them, `upsert` one by external
id. `query*` and `soql*` are the query language. `schema`, `fields`, `standard` with
`business_objects` and `setup_objects`, `custom_fields`, `tooling`, `describe`, `ui_api` and
`processes` are what an org is made of; `permissions` who may do what;
`oauth` who is who; `actions`, `admin`, `stages` and `merging` what people do in screens. `org` and
`store` hold the state.
"""
