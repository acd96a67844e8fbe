-- name: identities
SELECT crm, kind, record_id, stream::text AS stream, alive, linked_to
FROM record_identity
JOIN unnest(%(crms)s::text[], %(kinds)s::text[], %(record_ids)s::text[])
    AS wanted (crm, kind, record_id) USING (crm, kind, record_id)

-- name: put_identity
INSERT INTO record_identity (crm, kind, record_id, stream, alive, linked_to)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (crm, kind, record_id) DO UPDATE
SET stream = excluded.stream, alive = excluded.alive, linked_to = excluded.linked_to

-- name: add_write
INSERT INTO outbound_write (
    write_id, stream, version, crm, operation, topic, payload, rule, reason, ambiguous, cause,
    policy_version, decided_at
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: withdraw_write
UPDATE outbound_write SET withdrawn_reason = %s WHERE write_id = %s

-- name: add_audit_line
INSERT INTO audit_line (
    stream, version, n, event_id, at, kind, rule, opportunity_id, deal_id, contact_id, crm, object,
    record_id, operation, fields, reason, ambiguous, cause_fact, cause_by, cause_at, policy_version,
    write_id
) VALUES (
    %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s
)
