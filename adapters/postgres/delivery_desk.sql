-- name: find
SELECT
    w.payload::text, w.rule, w.decided_at, d.state, d.reason, d.attempts, d.retry_at, d.record_id,
    d.sent_at, d.answered_at, d.echo
FROM delivery AS d
JOIN outbound_write AS w ON w.write_id = d.write_id
WHERE (%(stream)s::uuid IS NULL OR d.stream = %(stream)s::uuid)
    AND (%(states)s::text[] = '{}' OR d.state = ANY(%(states)s::text[]))
ORDER BY d.event_id DESC
LIMIT %(limit)s

-- name: retry
UPDATE delivery SET retry_at = NULL
WHERE write_id = ANY(%(writes)s::uuid[]) AND state IN ('pending', 'unknown')

-- name: counts
SELECT
    count(*) FILTER (WHERE state = 'pending'),
    count(*) FILTER (WHERE state = 'sent'),
    count(*) FILTER (WHERE state = 'unknown'),
    count(*) FILTER (WHERE state = 'held'),
    (SELECT count(*) FROM delivery_outcome WHERE published_at IS NULL),
    (
        SELECT count(*) FROM delivery
        WHERE state = 'done' AND echo IS NULL AND answered_at > %(unseen_after)s
    )
FROM delivery
WHERE state IN ('pending', 'sent', 'unknown', 'held')

-- name: mark_echoes
UPDATE delivery AS d SET echo = r.echo
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (write_id uuid, echo text)
WHERE d.write_id = r.write_id AND d.state = 'done' AND d.echo IS NULL

-- name: fuse_state
SELECT blown_at, (SELECT count(*) FROM delivery WHERE state = 'held') FROM delete_fuse

-- name: mend_fuse
UPDATE delete_fuse SET blown_at = NULL, mended_at = %(at)s

-- name: release_held
UPDATE delivery SET state = 'pending', reason = %(reason)s, released = true WHERE state = 'held'

-- name: discard_held
UPDATE delivery SET state = 'cancelled', reason = %(reason)s WHERE state = 'held'
RETURNING write_id::text, stream::text, attempts

-- name: cancel
UPDATE delivery AS d
SET state = 'cancelled', reason = %(reason)s, retry_at = NULL
FROM outbound_write AS w
WHERE w.write_id = d.write_id
    AND d.state IN ('pending', 'held')
    AND d.write_id = ANY(%(writes)s::uuid[])
RETURNING d.write_id::text, d.stream::text, d.attempts, w.rule, d.crm

-- name: lift
DELETE FROM suspension WHERE crm = %(crm)s
