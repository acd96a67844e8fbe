-- name: waits
SELECT stream::text, key FROM waiting_for WHERE stream = ANY(%(streams)s::uuid[])

-- name: drop_wait
DELETE FROM waiting_for WHERE stream = %s AND key = %s

-- name: save_wait
INSERT INTO waiting_for (stream, key, due_at) VALUES (%s, %s, %s)

-- name: values
SELECT crm, kind, record_id, what, value
FROM directory
JOIN unnest(%(crms)s::text[], %(kinds)s::text[], %(record_ids)s::text[])
    AS wanted (crm, kind, record_id) USING (crm, kind, record_id)

-- name: drop_value
DELETE FROM directory
WHERE crm = %s AND kind = %s AND record_id = %s AND what = %s AND value = %s

-- name: save_value
INSERT INTO directory (crm, kind, record_id, what, value) VALUES (%s, %s, %s, %s, %s)

-- name: import
INSERT INTO imported_account (stream) SELECT unnest(%(streams)s::uuid[]) ON CONFLICT DO NOTHING

-- name: note
INSERT INTO reaction_due (kind, target, because, event_id, happened_at, epoch)
SELECT DISTINCT ON (kind, target, because) kind, target, because, event_id, happened_at, epoch
FROM unnest(
    %(kinds)s::text[], %(targets)s::text[], %(becauses)s::text[], %(event_ids)s::bigint[],
    %(ats)s::timestamptz[], %(epochs)s::integer[]
) AS noted (kind, target, because, event_id, happened_at, epoch)
ORDER BY kind, target, because, event_id DESC
ON CONFLICT (kind, target, because) DO UPDATE SET (event_id, happened_at, epoch)
    = ROW(excluded.event_id, excluded.happened_at, excluded.epoch)

-- name: note_waiting
INSERT INTO reaction_due (kind, target, because, event_id, happened_at, epoch)
SELECT 'reconsider', w.stream::text, w.key, fired.event_id, fired.happened_at, fired.epoch
FROM unnest(
    %(keys)s::text[], %(event_ids)s::bigint[], %(ats)s::timestamptz[], %(epochs)s::integer[]
) AS fired (key, event_id, happened_at, epoch)
JOIN waiting_for AS w ON w.key = fired.key
ORDER BY w.stream, w.key
ON CONFLICT (kind, target, because) DO UPDATE SET (event_id, happened_at, epoch)
    = ROW(excluded.event_id, excluded.happened_at, excluded.epoch)

-- name: note_matching
INSERT INTO reaction_due (kind, target, because, event_id, happened_at, epoch)
SELECT DISTINCT ON (target, m.because)
    'candidates', format('%%s:%%s:%%s', d.crm, d.kind, d.record_id) AS target, m.because,
    m.event_id, m.happened_at, m.epoch
FROM unnest(
    %(crms)s::text[], %(kinds)s::text[], %(whats)s::text[], %(values)s::text[],
    %(becauses)s::text[], %(event_ids)s::bigint[], %(ats)s::timestamptz[], %(epochs)s::integer[]
) AS m (crm, kind, what, value, because, event_id, happened_at, epoch)
JOIN directory AS d USING (crm, kind, what, value)
ORDER BY target, m.because, m.event_id DESC
ON CONFLICT (kind, target, because) DO UPDATE SET (event_id, happened_at, epoch)
    = ROW(excluded.event_id, excluded.happened_at, excluded.epoch)

-- name: waited_keys
SELECT DISTINCT key FROM waiting_for WHERE key = ANY(%(keys)s::text[])

-- name: waited_accounts
SELECT DISTINCT key FROM waiting_for WHERE key LIKE 'account:%'

-- name: due_instants
SELECT stream::text, key, due_at FROM waiting_for
WHERE due_at <= %(at)s AND (%(woken_to)s::timestamptz IS NULL OR due_at > %(woken_to)s)
ORDER BY due_at
FETCH FIRST %(limit)s ROWS WITH TIES

-- name: oldest_due
SELECT kind, target, because, event_id, happened_at, epoch FROM reaction_due
ORDER BY event_id, kind, target, because LIMIT %(limit)s

-- name: settle
-- One that became due again meanwhile stays.
DELETE FROM reaction_due AS r
USING unnest(
    %(kinds)s::text[], %(targets)s::text[], %(becauses)s::text[], %(event_ids)s::bigint[]
) AS told (kind, target, because, event_id)
WHERE (r.kind, r.target, r.because, r.event_id)
    = (told.kind, told.target, told.because, told.event_id)

-- name: accounts
SELECT stream::text, record_id FROM record_identity
WHERE kind = 'account' AND stream = ANY(%(streams)s::uuid[]) AND alive

-- name: imported
SELECT stream::text FROM imported_account WHERE stream = ANY(%(streams)s::uuid[])

-- name: sharing
-- Key by key and record by record (`OFFSET 0` keeps it so): fresh tables have no statistics, and
-- the planner would scan a whole kind for each key.
SELECT w.crm, w.kind, w.what, w.value, living.count, living.first_ids
FROM unnest(%(crms)s::text[], %(kinds)s::text[], %(whats)s::text[], %(values)s::text[])
    AS w (crm, kind, what, value)
CROSS JOIN LATERAL (
    SELECT count(*), (array_agg(d.record_id ORDER BY d.record_id))[:%(limit)s] AS first_ids
    FROM directory AS d
    CROSS JOIN LATERAL (
        SELECT r.alive FROM record_identity AS r
        WHERE (r.crm, r.kind, r.record_id) = (d.crm, d.kind, d.record_id)
        OFFSET 0
    ) AS owned
    WHERE (d.crm, d.kind, d.what, d.value) = (w.crm, w.kind, w.what, w.value) AND owned.alive
) AS living
WHERE living.count > 0
