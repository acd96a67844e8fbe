-- name: lock
SELECT epoch, event_id, told FROM publication FOR UPDATE SKIP LOCKED

-- name: before
SELECT partition, event_id FROM publication_partition

-- name: window
SELECT
    notification_id, originator_id::text, originator_version, topic, state, source, source_offset,
    decided_at
FROM stored_events
WHERE notification_id > %(after)s
ORDER BY notification_id
LIMIT %(limit)s

-- name: move
UPDATE publication SET event_id = %(position)s, told = %(told)s

-- name: move_partitions
INSERT INTO publication_partition (partition, event_id)
SELECT * FROM unnest(%(partitions)s::integer[], %(event_ids)s::bigint[])
ON CONFLICT (partition) DO UPDATE SET event_id = excluded.event_id

-- name: state
SELECT
    epoch,
    event_id,
    (SELECT coalesce(max(notification_id), 0) FROM stored_events),
    (
        SELECT decided_at FROM stored_events
        WHERE notification_id > event_id ORDER BY notification_id LIMIT 1
    )
FROM publication
