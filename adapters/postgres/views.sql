-- name: pairs
SELECT
    s.stream::text, s.state, s.opportunity_id, s.deal_id, s.name, s.contact_ids, s.created_at,
    s.amount, s.close_date, s.is_closed, s.is_won, s.record_type_id, s.pipeline_id, s.account_id,
    s.company_id,
    (SELECT count(*) FROM open_issue AS i WHERE i.stream = s.stream),
    (SELECT count(*) FROM held_field AS h WHERE h.stream = s.stream),
    (SELECT count(*) FROM parked_fact AS p WHERE p.stream = s.stream),
    ARRAY(SELECT w.key FROM waiting_for AS w WHERE w.stream = s.stream ORDER BY w.key COLLATE "C"),
    s.last_decided_at,
    s.version
FROM sync_status AS s
WHERE s.absorbed_into IS NULL
    AND (%(state)s::text IS NULL OR s.state = %(state)s::text)
    AND (
        NOT %(with_issues)s::boolean
        OR EXISTS (SELECT FROM open_issue AS i WHERE i.stream = s.stream)
    )
    AND (%(after)s::uuid IS NULL OR s.stream > %(after)s::uuid)
    AND (%(stream)s::uuid IS NULL OR s.stream = %(stream)s::uuid)
ORDER BY s.stream
LIMIT %(limit)s

-- name: carried_on_by
-- A half pair may be absorbed by one that is absorbed later.
WITH RECURSIVE chain AS (
    SELECT stream, absorbed_into, 1 AS step FROM sync_status WHERE stream = %(stream)s::uuid
    UNION ALL
    SELECT s.stream, s.absorbed_into, chain.step + 1
    FROM chain JOIN sync_status AS s ON s.stream = chain.absorbed_into
    WHERE chain.step < 20
)
SELECT stream::text FROM chain ORDER BY step DESC LIMIT 1

-- name: owner
SELECT stream::text, alive, linked_to FROM record_identity
WHERE crm = %(crm)s AND kind = %(kind)s AND record_id = %(record_id)s

-- name: records
SELECT crm, kind, record_id, stream::text, alive, linked_to FROM record_identity
WHERE stream = %(stream)s::uuid
ORDER BY alive DESC, crm DESC, kind, record_id

-- name: audit
SELECT
    event_id, id, at, kind, rule, pair_id::text, opportunity_id, deal_id, contact_id, crm, object,
    record_id, operation, fields, reason, ambiguous, cause_fact, cause_by, cause_at, policy_version,
    write_id::text
FROM audit_log
WHERE event_id > %(after)s
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s::timestamptz)
    AND (%(until)s::timestamptz IS NULL OR at < %(until)s::timestamptz)
    AND (%(pair_id)s::uuid IS NULL OR pair_id = %(pair_id)s::uuid)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s::text)
    AND (%(rule)s::text IS NULL OR rule = %(rule)s::text)
    AND (%(crm)s::text IS NULL OR crm = %(crm)s::text)
    AND (%(write_id)s::uuid IS NULL OR write_id = %(write_id)s::uuid)
ORDER BY event_id
LIMIT %(limit)s

-- name: audit_latest
SELECT
    event_id, id, at, kind, rule, pair_id::text, opportunity_id, deal_id, contact_id, crm, object,
    record_id, operation, fields, reason, ambiguous, cause_fact, cause_by, cause_at, policy_version,
    write_id::text
FROM audit_log
WHERE event_id > %(after)s
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s::timestamptz)
    AND (%(until)s::timestamptz IS NULL OR at < %(until)s::timestamptz)
    AND (%(pair_id)s::uuid IS NULL OR pair_id = %(pair_id)s::uuid)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s::text)
    AND (%(rule)s::text IS NULL OR rule = %(rule)s::text)
    AND (%(crm)s::text IS NULL OR crm = %(crm)s::text)
    AND (%(write_id)s::uuid IS NULL OR write_id = %(write_id)s::uuid)
ORDER BY event_id DESC
LIMIT %(limit)s

-- name: issue_groups
SELECT
    code, count(*), count(DISTINCT stream), min(opened_at), max(changed_at),
    (array_agg(text ORDER BY changed_at DESC, subject))[1]
FROM open_issue GROUP BY code ORDER BY count(*) DESC, code

-- name: issues
SELECT
    i.code, i.subject, i.text, i.rule, i.stream::text, opportunity.record_id, deal.record_id,
    contact.record_id, account.record_id, i.opened_at, i.changed_at, i.occurrences
FROM open_issue AS i
LEFT JOIN LATERAL (
    SELECT record_id FROM record_identity AS r WHERE r.stream = i.stream AND kind = 'opportunity'
    ORDER BY alive DESC, record_id DESC LIMIT 1
) AS opportunity ON true
LEFT JOIN LATERAL (
    SELECT record_id FROM record_identity AS r WHERE r.stream = i.stream AND kind = 'deal'
    ORDER BY alive DESC, record_id DESC LIMIT 1
) AS deal ON true
LEFT JOIN LATERAL (
    SELECT record_id FROM record_identity AS r WHERE r.stream = i.stream AND kind = 'contact'
    ORDER BY alive DESC, record_id DESC LIMIT 1
) AS contact ON true
LEFT JOIN LATERAL (
    SELECT record_id FROM record_identity AS r WHERE r.stream = i.stream AND kind = 'account'
    ORDER BY alive DESC, record_id DESC LIMIT 1
) AS account ON true
WHERE (%(code)s::text IS NULL OR i.code = %(code)s::text)
    AND (%(stream)s::uuid IS NULL OR i.stream = %(stream)s::uuid)
ORDER BY i.opened_at, i.code, i.subject, i.stream
LIMIT %(limit)s

-- name: held_fields
SELECT field, side, code, detail, value, since FROM held_field
WHERE stream = %(stream)s::uuid ORDER BY field, side

-- name: parked
SELECT
    p.stream::text, p.position, p.topic, p.error, p.parked_at, opportunity.record_id, deal.record_id
FROM parked_fact AS p
LEFT JOIN LATERAL (
    SELECT record_id FROM record_identity AS r WHERE r.stream = p.stream AND kind = 'opportunity'
    ORDER BY alive DESC, record_id DESC LIMIT 1
) AS opportunity ON true
LEFT JOIN LATERAL (
    SELECT record_id FROM record_identity AS r WHERE r.stream = p.stream AND kind = 'deal'
    ORDER BY alive DESC, record_id DESC LIMIT 1
) AS deal ON true
WHERE %(stream)s::uuid IS NULL OR p.stream = %(stream)s::uuid
ORDER BY p.parked_at, p.stream, p.position
LIMIT %(limit)s

-- name: waiting_counts
SELECT split_part(key, ':', 1), count(DISTINCT stream) FROM waiting_for GROUP BY 1 ORDER BY 1

-- name: history
SELECT
    notification_id, originator_id::text, originator_version, topic, state, source, source_offset,
    decided_at
FROM stored_events WHERE originator_id = %(stream)s::uuid ORDER BY originator_version

-- name: writes
SELECT
    w.write_id::text, w.pair_id::text, opportunity.record_id, deal.record_id, w.crm, w.operation,
    w.rule, w.reason, w.ambiguous, w.policy_version, w.decided_at, w.state, w.state_reason,
    w.attempts, w.record_id, w.sent_at, w.answered_at, w.retry_at, w.echo
FROM write_log AS w
LEFT JOIN LATERAL (
    SELECT record_id FROM record_identity AS r WHERE r.stream = w.pair_id AND kind = 'opportunity'
    ORDER BY alive DESC, record_id DESC LIMIT 1
) AS opportunity ON true
LEFT JOIN LATERAL (
    SELECT record_id FROM record_identity AS r WHERE r.stream = w.pair_id AND kind = 'deal'
    ORDER BY alive DESC, record_id DESC LIMIT 1
) AS deal ON true
WHERE (%(write_id)s::uuid IS NULL OR w.write_id = %(write_id)s::uuid)
    AND (%(state)s::text IS NULL OR w.state = %(state)s::text)
    AND (%(crm)s::text IS NULL OR w.crm = %(crm)s::text)
    AND (%(stream)s::uuid IS NULL OR w.pair_id = %(stream)s::uuid)
ORDER BY w.decided_at DESC, w.write_id
LIMIT %(limit)s

-- name: attempts
SELECT number, resolving, claimed_at, begun_at, answered_at, closed_at, answer
FROM delivery_attempt AS a
JOIN outbound_write AS w ON w.stream = a.stream AND w.crm = a.crm
WHERE w.write_id = %(write_id)s::uuid AND w.write_id = ANY(a.write_ids)
ORDER BY a.id
