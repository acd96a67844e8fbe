-- name: lock
SELECT pg_advisory_xact_lock(%(key)s)

-- name: copy_events
COPY stored_events
    (originator_id, originator_version, topic, state, source, source_offset, decided_at)
FROM STDIN (FORMAT BINARY)

-- name: last_drawn_id
-- Only the holder of the lock draws ids, so the batch has the last ones, without holes.
SELECT currval('stored_events_notification_id_seq')
