-- name: head
SELECT coalesce(max(notification_id), 0) FROM stored_events

-- name: positions
SELECT name, event_id FROM view_position

-- name: decided
SELECT
    notification_id, originator_id::text, originator_version, topic, state, source, source_offset,
    decided_at
FROM stored_events
WHERE notification_id > %(after)s AND notification_id <= %(until)s
ORDER BY notification_id
LIMIT %(limit)s
