-- name: positions
SELECT application_name, notification_id FROM notification_tracking

-- name: found_positions
-- A source that nobody decided yet gets its row first, so that there is something to lock.
INSERT INTO notification_tracking (application_name, notification_id)
SELECT source, -1 FROM unnest(%(sources)s::text[]) AS source ORDER BY source COLLATE "C"
ON CONFLICT DO NOTHING

-- name: lock_positions
-- In one order for all workers; an UPDATE promises none.
SELECT application_name, notification_id FROM notification_tracking
WHERE application_name = ANY(%(sources)s::text[])
ORDER BY application_name COLLATE "C"
FOR UPDATE

-- name: move_positions
UPDATE notification_tracking SET notification_id = moved.new
FROM unnest(%(sources)s::text[], %(new)s::bigint[]) AS moved (source, new)
WHERE application_name = moved.source

-- name: epoch
SELECT epoch FROM publication

-- name: last_event_id
SELECT coalesce(max(notification_id), 0) FROM stored_events

-- name: load_streams
SELECT notification_id, originator_id::text, originator_version, topic, state, source, source_offset
FROM stored_events
WHERE originator_id = ANY(%(streams)s::uuid[])
ORDER BY originator_id, originator_version

-- name: tail
SELECT notification_id, originator_id::text, originator_version, topic, state, source, source_offset
FROM stored_events
WHERE notification_id > %(after)s
ORDER BY notification_id
LIMIT %(limit)s
