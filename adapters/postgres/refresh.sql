-- name: add
INSERT INTO refresh (crm, kind, record_id, reason, cause, hint, happened_at)
SELECT w.crm, w.kind, w.record_id, w.reason, w.cause, w.hint, w.happened_at
FROM unnest(
    %(crm)s::text[],
    %(kind)s::text[],
    %(record_id)s::text[],
    %(reason)s::text[],
    %(cause)s::text[],
    %(hint)s::text[],
    %(happened_at)s::timestamptz[]
) WITH ORDINALITY AS w (crm, kind, record_id, reason, cause, hint, happened_at, n)
ORDER BY w.n
ON CONFLICT DO NOTHING

-- name: claim
WITH oldest AS (
    SELECT id FROM refresh
    WHERE crm = %(crm)s AND (held_until IS NULL OR held_until <= %(at)s)
    ORDER BY id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), held AS (
    UPDATE refresh AS r SET held_until = %(until)s
    FROM oldest WHERE r.id = oldest.id
    RETURNING r.id, r.crm, r.kind, r.record_id, r.reason, r.cause, r.happened_at, r.hint
)
SELECT crm, kind, record_id, reason, cause, happened_at, hint FROM held ORDER BY id

-- name: done
DELETE FROM refresh AS r
USING unnest(
    %(crm)s::text[],
    %(kind)s::text[],
    %(record_id)s::text[],
    %(reason)s::text[],
    %(cause)s::text[],
    %(hint)s::text[],
    %(happened_at)s::timestamptz[]
) AS w (crm, kind, record_id, reason, cause, hint, happened_at)
WHERE r.held_until IS NOT NULL
    AND (r.crm, r.kind, r.record_id, r.reason, r.cause, r.hint, r.happened_at)
    = (w.crm, w.kind, w.record_id, w.reason, w.cause, w.hint, w.happened_at)

-- name: give_back
-- Not null: the row must not meet the same wish that waits already.
UPDATE refresh AS r SET held_until = '-infinity'
FROM unnest(
    %(crm)s::text[],
    %(kind)s::text[],
    %(record_id)s::text[],
    %(reason)s::text[],
    %(cause)s::text[],
    %(hint)s::text[],
    %(happened_at)s::timestamptz[]
) AS w (crm, kind, record_id, reason, cause, hint, happened_at)
WHERE r.held_until IS NOT NULL
    AND (r.crm, r.kind, r.record_id, r.reason, r.cause, r.hint, r.happened_at)
    = (w.crm, w.kind, w.record_id, w.reason, w.cause, w.hint, w.happened_at)

-- name: waiting
SELECT count(*) FROM refresh

-- name: receive
INSERT INTO webhook_inbox (received_at, signature_hash, body)
VALUES (%(received_at)s, %(signature_hash)s, %(body)s)
ON CONFLICT (signature_hash) DO NOTHING
RETURNING id

-- name: forget
DELETE FROM webhook_inbox AS w
USING (SELECT id, received_at FROM webhook_inbox ORDER BY id LIMIT %(limit)s) AS oldest
WHERE w.id = oldest.id AND oldest.received_at < %(before)s
