-- name: lock
SELECT event_id, woken_to FROM view_position WHERE name = %(name)s FOR UPDATE SKIP LOCKED

-- name: lock_waiting
SELECT event_id FROM view_position WHERE name = %(name)s FOR UPDATE

-- name: read
-- Only what the follower looks into is decoded; of the rest, place and time are enough.
SELECT
    notification_id, originator_id::text, originator_version, decided_at, topic,
    CASE WHEN topic = ANY(%(topics)s::text[]) THEN state END
FROM stored_events
WHERE notification_id > %(after)s
    AND (%(until)s::bigint IS NULL OR notification_id <= %(until)s::bigint)
ORDER BY notification_id
LIMIT %(limit)s

-- name: move
UPDATE view_position SET event_id = %(event_id)s WHERE name = %(name)s

-- name: move_woken
UPDATE view_position SET woken_to = %(woken_to)s WHERE name = %(name)s

-- name: lock_emission
SELECT pg_try_advisory_xact_lock(%(key)s)

-- name: unfinished
SELECT
    (SELECT count(*) FROM stored_events
        WHERE notification_id > (SELECT min(event_id) FROM view_position))
    + (SELECT count(*) FROM reaction_due)
