-- name: copy
COPY audit_line (
    stream, version, n, event_id, at, kind, rule, opportunity_id, deal_id, contact_id, crm, object,
    record_id, operation, fields, reason, ambiguous, cause_fact, cause_by, cause_at, policy_version,
    write_id
) FROM STDIN
