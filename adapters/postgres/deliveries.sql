-- name: close_ended
UPDATE delivery_attempt SET closed_at = %(at)s
WHERE crm = %(crm)s AND closed_at IS NULL AND lease_until <= %(at)s
RETURNING id

-- name: lose_sent
UPDATE delivery
SET state = 'unknown', reason = 'sent, and no answer came', retry_at = %(at)s
WHERE attempt_id = ANY(%(attempts)s) AND state = 'sent' AND crm = %(crm)s
RETURNING write_id::text, stream::text, attempts, sent_at

-- name: cancel_withdrawn
UPDATE delivery AS d
SET state = 'cancelled', reason = w.withdrawn_reason, retry_at = NULL
FROM outbound_write AS w
WHERE w.write_id = d.write_id
    AND w.withdrawn_reason IS NOT NULL
    AND d.state IN ('pending', 'held')
    AND d.crm = %(crm)s
RETURNING d.write_id::text, d.stream::text, d.attempts, w.rule, w.withdrawn_reason

-- name: cancel_withdrawn_of
UPDATE delivery AS d
SET state = 'cancelled', reason = w.withdrawn_reason, retry_at = NULL
FROM outbound_write AS w
WHERE w.write_id = d.write_id
    AND w.withdrawn_reason IS NOT NULL
    AND d.state = 'pending'
    AND d.write_id = ANY(%(writes)s::uuid[])
RETURNING d.write_id::text, d.stream::text, d.attempts, w.rule, w.withdrawn_reason, d.crm

-- name: has_unsent_deletes
SELECT EXISTS (
    SELECT FROM delivery
    WHERE crm = 'hubspot' AND state = 'pending' AND topic = 'write.ArchiveDeal' AND NOT released
)

-- name: fuse
SELECT blown_at, mended_at FROM delete_fuse

-- name: count_deletes
SELECT count(*) FROM outbound_write
WHERE operation = 'archive' AND withdrawn_reason IS NULL
    AND decided_at > greatest(%(since)s, %(mended_at)s)

-- name: count_live
SELECT count(*) FROM record_identity AS d
WHERE d.crm = 'hubspot' AND d.kind = 'deal' AND d.alive
    AND EXISTS (
        SELECT FROM record_identity AS o WHERE o.stream = d.stream AND o.kind = 'opportunity'
    )

-- name: blow_fuse
UPDATE delete_fuse SET blown_at = %(at)s

-- name: hold_deletes
UPDATE delivery SET state = 'held', reason = %(reason)s, retry_at = NULL
WHERE crm = 'hubspot' AND state = 'pending' AND topic = 'write.ArchiveDeal' AND NOT released
RETURNING write_id::text, stream::text, attempts

-- name: unknown
SELECT
    d.stream::text, w.payload::text, w.policy_version, d.attempts, living.record_id,
    living.counterpart_id, d.sent_at
FROM delivery AS d
JOIN outbound_write AS w ON w.write_id = d.write_id
CROSS JOIN LATERAL (
    SELECT
        min(i.record_id) FILTER (WHERE i.crm = d.crm) AS record_id,
        min(i.record_id) FILTER (WHERE i.crm <> d.crm) AS counterpart_id
    FROM record_identity AS i
    WHERE i.stream = d.stream AND i.alive
) AS living
WHERE d.crm = %(crm)s AND d.state = 'unknown'
    AND (d.retry_at IS NULL OR d.retry_at <= %(at)s)
    AND NOT EXISTS (
        SELECT FROM delivery_attempt AS a
        WHERE a.stream = d.stream AND a.crm = d.crm AND a.closed_at IS NULL
    )
ORDER BY d.priority, d.event_id
LIMIT %(limit)s

-- name: pending
SELECT
    d.stream::text, w.payload::text, w.policy_version, d.attempts, living.record_id,
    living.counterpart_id, NULL::timestamptz
FROM delivery AS d
JOIN outbound_write AS w ON w.write_id = d.write_id
CROSS JOIN LATERAL (
    SELECT
        min(i.record_id) FILTER (WHERE i.crm = d.crm) AS record_id,
        min(i.record_id) FILTER (WHERE i.crm <> d.crm) AS counterpart_id
    FROM record_identity AS i
    WHERE i.stream = d.stream AND i.alive
) AS living
WHERE d.crm = %(crm)s AND d.state = 'pending'
    AND (d.retry_at IS NULL OR d.retry_at <= %(at)s)
    AND (living.record_id IS NOT NULL OR NOT d.needs_target)
    AND NOT d.topic = ANY(%(blocked)s)
    AND NOT EXISTS (
        SELECT FROM delivery_attempt AS a
        WHERE a.stream = d.stream AND a.crm = d.crm AND a.closed_at IS NULL
    )
    AND NOT EXISTS (
        SELECT FROM delivery AS b
        WHERE b.crm = d.crm AND b.stream = d.stream AND b.state IN ('sent', 'unknown')
    )
    AND NOT EXISTS (
        SELECT FROM delivery AS b
        WHERE b.crm = d.crm AND b.stream = d.stream
            AND b.state = 'pending' AND b.retry_at > %(at)s
            AND (b.priority, b.event_id) < (d.priority, d.event_id)
    )
ORDER BY d.priority, d.event_id
LIMIT %(limit)s

-- name: give_up
UPDATE delivery AS d SET state = 'cancelled', reason = r.reason, retry_at = NULL
FROM unnest(%(writes)s::uuid[], %(reasons)s::text[]) AS r (write_id, reason)
WHERE d.write_id = r.write_id

-- name: open_attempts
INSERT INTO delivery_attempt
    (stream, crm, write_ids, number, resolving, lease_until, claimed_at)
SELECT r.stream, %(crm)s, r.write_ids, r.number, r.resolving, %(lease_until)s, %(at)s
FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS r (stream uuid, write_ids uuid[], number integer, resolving boolean)
RETURNING stream::text, id

-- name: held_attempts
SELECT id FROM delivery_attempt
WHERE id = ANY(%(attempts)s) AND closed_at IS NULL AND lease_until > %(at)s AND NOT resolving

-- name: send
UPDATE delivery AS d
SET state = 'sent', reason = '', retry_at = NULL, sent_at = %(at)s, attempt_id = a.id,
    attempts = a.number
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (attempt_id bigint, write_id uuid)
JOIN delivery_attempt AS a ON a.id = r.attempt_id
WHERE d.write_id = r.write_id AND d.state = 'pending'
RETURNING d.write_id::text

-- name: begin_attempts
UPDATE delivery_attempt SET begun_at = %(at)s WHERE id = ANY(%(attempts)s)

-- name: open_before
SELECT id, number FROM delivery_attempt WHERE id = ANY(%(attempts)s) AND closed_at IS NULL

-- name: answer_attempts
UPDATE delivery_attempt AS a
SET answer = r.answer, answered_at = %(at)s, closed_at = coalesce(a.closed_at, %(at)s)
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (id bigint, answer text)
WHERE a.id = r.id

-- name: standing
SELECT write_id::text, state, attempt_id, crm FROM delivery WHERE write_id = ANY(%(writes)s::uuid[])

-- name: settle
UPDATE delivery AS d
SET state = r.state, reason = r.reason, retry_at = r.retry_at,
    attempts = greatest(d.attempts, r.attempts),
    record_id = coalesce(r.record_id, d.record_id),
    answered_at = coalesce(r.answered_at, d.answered_at)
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
    write_id uuid, state text, reason text, retry_at timestamptz, attempts integer,
    record_id text, answered_at timestamptz
)
WHERE d.write_id = r.write_id

-- name: unpublished
SELECT id, fact_topic, body FROM delivery_outcome
WHERE crm = %(crm)s AND published_at IS NULL ORDER BY id LIMIT %(limit)s

-- name: publish
UPDATE delivery_outcome SET published_at = %(at)s WHERE id = ANY(%(ids)s)
