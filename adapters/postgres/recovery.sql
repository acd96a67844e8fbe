-- name: has_events
SELECT EXISTS (SELECT FROM stored_events) OR EXISTS (SELECT FROM notification_tracking)

-- name: make_staging
-- Rows without an event are notes: a mark alone, or, with -1 before it, the cut of an epoch.
CREATE TEMP TABLE published (
    partition integer NOT NULL,
    epoch integer NOT NULL,
    mark bigint NOT NULL,
    previous bigint,
    event_id bigint,
    stream uuid,
    version bigint,
    topic text,
    state bytea,
    source text,
    source_offset bigint,
    decided_at timestamptz
) ON COMMIT DROP

-- name: stage
COPY published (
    partition, epoch, mark, previous, event_id, stream, version, topic, state, source,
    source_offset, decided_at
) FROM STDIN (FORMAT BINARY)

-- name: analyze_staging
ANALYZE published

-- name: cut
-- The newest epoch, its highest mark, and the highest id that was ever published.
WITH newest AS (SELECT coalesce(max(epoch), 0) AS epoch FROM published)
SELECT
    (SELECT epoch FROM newest),
    coalesce(max(mark) FILTER (WHERE epoch = (SELECT epoch FROM newest)), 0),
    coalesce(max(event_id), 0)
FROM published

-- name: make_lost
-- What an epoch decided beyond the cut of a later one was lost then; beyond this cut, now.
CREATE TEMP TABLE lost_from ON COMMIT DROP AS
SELECT epochs.epoch, min(cuts.cut) AS cut
FROM (SELECT DISTINCT epoch FROM published) AS epochs
CROSS JOIN LATERAL (
    SELECT mark AS cut FROM published
    WHERE event_id IS NULL AND previous = -1 AND published.epoch > epochs.epoch
    UNION ALL
    SELECT %(cut)s::bigint
) AS cuts
GROUP BY epochs.epoch

-- name: count_left_out
SELECT count(DISTINCT (published.epoch, event_id))
FROM published JOIN lost_from USING (epoch)
WHERE event_id > cut

-- name: make_whole
-- What was sent again is the same event: one of them is kept.
CREATE TEMP TABLE whole ON COMMIT DROP AS
SELECT DISTINCT ON (event_id) published.*
FROM published JOIN lost_from USING (epoch)
WHERE event_id <= cut
ORDER BY event_id

-- name: two_stores
-- What is sent again is the same; another event under the same id came from another store.
SELECT event_id
FROM published JOIN lost_from USING (epoch)
WHERE event_id <= cut
GROUP BY event_id
HAVING min(md5(state)) <> max(md5(state)) OR min(stream::text) <> max(stream::text)
LIMIT 1

-- name: broken_chain
SELECT partition, event_id, previous, before
FROM (
    SELECT
        partition, event_id, previous,
        lag(event_id, 1, 0::bigint) OVER (PARTITION BY partition ORDER BY event_id) AS before
    FROM whole
) AS chain
WHERE previous <> before
ORDER BY event_id
LIMIT 1

-- name: restore_events
WITH restored AS (
    INSERT INTO stored_events (
        notification_id, originator_id, originator_version, topic, state, source, source_offset,
        decided_at
    )
    SELECT event_id, stream, version, topic, state, source, source_offset, decided_at
    FROM whole ORDER BY event_id
    RETURNING originator_id
)
SELECT count(*), count(DISTINCT originator_id) FROM restored

-- name: analyze_events
ANALYZE stored_events

-- name: skip_ids
-- Ids that readers have seen are not drawn again for other events.
SELECT setval('stored_events_notification_id_seq', %(highest)s)

-- name: restore_positions
INSERT INTO notification_tracking (application_name, notification_id)
SELECT source, max(source_offset) FROM stored_events GROUP BY source

-- name: positions
SELECT application_name, notification_id FROM notification_tracking

-- name: restore_deliveries
-- The latest answer of a write says where it stands. Whether one without an answer was sent, nobody
-- knows any more: it is unknown, since it was decided at the earliest.
INSERT INTO delivery (
    write_id, stream, crm, topic, event_id, priority, needs_target, state, reason, attempts,
    record_id, sent_at, answered_at
)
SELECT
    w.write_id, w.stream, w.crm, w.topic, e.notification_id,
    CASE WHEN w.topic = ANY(%(definitions)s) THEN 0 ELSE 1 END,
    NOT w.topic = ANY(%(free)s),
    coalesce(closed.outcome, 'unknown'),
    CASE
        WHEN closed.outcome IS NULL THEN 'the database was lost, and no answer is known'
        ELSE closed.message
    END,
    1,
    closed.record_id,
    coalesce(closed.sent_at, w.decided_at),
    closed.answered_at
FROM outbound_write AS w
JOIN stored_events AS e ON e.originator_id = w.stream AND e.originator_version = w.version
LEFT JOIN (
    SELECT DISTINCT ON (said ->> 'write_id')
        (said ->> 'write_id')::uuid AS write_id,
        said ->> 'outcome' AS outcome,
        coalesce(said ->> 'message', '') AS message,
        said ->> 'record_id' AS record_id,
        (said ->> 'sent_at')::timestamptz AS sent_at,
        (said ->> 'answered_at')::timestamptz AS answered_at
    FROM (
        SELECT notification_id, convert_from(state, 'UTF8')::jsonb AS said
        FROM stored_events WHERE topic = 'any.WriteClosed'
    ) AS answers
    ORDER BY said ->> 'write_id', notification_id DESC
) AS closed ON closed.write_id = w.write_id

-- name: move_cursor
UPDATE delivery_cursor SET event_id = %(cut)s

-- name: restore_fuse
-- What was held waits for a person still.
UPDATE delete_fuse SET blown_at = %(at)s WHERE EXISTS (SELECT FROM delivery WHERE state = 'held')

-- name: count_unknown
SELECT count(*) FROM delivery WHERE state = 'unknown'

-- name: restore_bookmarks
INSERT INTO bookmark (name, text)
SELECT * FROM unnest(%(names)s::text[], %(texts)s::text[])
ON CONFLICT (name) DO UPDATE SET text = excluded.text

-- name: wish_to_read
-- Every living record that takes part in the sync: what it did meanwhile may have been missed.
INSERT INTO refresh (crm, kind, record_id, reason, cause, hint, happened_at)
SELECT i.crm, i.kind, i.record_id, %(reason)s, %(cause)s, '', %(at)s
FROM record_identity AS i
WHERE i.alive AND (
    i.linked_to IS NOT NULL
    OR EXISTS (
        SELECT FROM record_identity AS o
        WHERE o.stream = i.stream AND o.crm <> i.crm AND o.alive
    )
)
ORDER BY i.crm, i.kind, i.record_id

-- name: restore_partitions
INSERT INTO publication_partition (partition, event_id)
SELECT partition, max(event_id) FROM whole GROUP BY partition

-- name: start_epoch
UPDATE publication SET epoch = %(epoch)s, event_id = %(cut)s, told = %(cut)s

-- name: digest
SELECT
    count(*),
    md5(coalesce(string_agg(md5(row), '' ORDER BY row COLLATE "C"), ''))
FROM (
    SELECT to_jsonb(e)::text AS row FROM stored_events AS e WHERE notification_id <= %(until)s
) AS events
