-- name: copy
COPY outbound_write (
    write_id, stream, version, crm, operation, topic, payload, rule, reason, ambiguous, cause,
    policy_version, decided_at
) FROM STDIN

-- name: withdraw
UPDATE outbound_write SET withdrawn_reason = withdrawn.reason
FROM unnest(%(write_ids)s::uuid[], %(reasons)s::text[]) AS withdrawn (write_id, reason)
WHERE outbound_write.write_id = withdrawn.write_id
