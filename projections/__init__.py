"""What is read of events: pure folds that know neither where rows are kept nor how they get there.

| rows that depend on one event alone, written in the decide transaction | |
|---|---|
| `record_identity` | which aggregate a CRM record belongs to |
| `outbound_write` | what a CRM should do |

The same folds serve the running engine and a rebuild; none of them can reach a CRM.
"""
