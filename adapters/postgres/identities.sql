-- name: load
SELECT crm, kind, record_id, stream::text, alive, linked_to
FROM record_identity
JOIN unnest(%(crms)s::text[], %(kinds)s::text[], %(record_ids)s::text[])
    AS wanted (crm, kind, record_id) USING (crm, kind, record_id)

-- name: load_of_streams
SELECT crm, kind, record_id, stream::text, alive, linked_to
FROM record_identity
WHERE stream = ANY(%(streams)s::uuid[])

-- name: delete
DELETE FROM record_identity
USING unnest(%(crms)s::text[], %(kinds)s::text[], %(record_ids)s::text[])
    AS gone (crm, kind, record_id)
WHERE record_identity.crm = gone.crm AND record_identity.kind = gone.kind
    AND record_identity.record_id = gone.record_id

-- name: unlink
-- Before new links are set: two rows of one statement may exchange a link, which is unique.
UPDATE record_identity SET linked_to = NULL
FROM unnest(%(crms)s::text[], %(kinds)s::text[], %(record_ids)s::text[])
    AS freed (crm, kind, record_id)
WHERE record_identity.crm = freed.crm AND record_identity.kind = freed.kind
    AND record_identity.record_id = freed.record_id AND linked_to IS NOT NULL

-- name: update
UPDATE record_identity
SET stream = changed.stream, alive = changed.alive, linked_to = changed.linked_to
FROM unnest(
    %(crms)s::text[], %(kinds)s::text[], %(record_ids)s::text[], %(streams)s::uuid[],
    %(alive)s::boolean[], %(linked_to)s::text[]
) AS changed (crm, kind, record_id, stream, alive, linked_to)
WHERE record_identity.crm = changed.crm AND record_identity.kind = changed.kind
    AND record_identity.record_id = changed.record_id

-- name: insert
INSERT INTO record_identity (crm, kind, record_id, stream, alive, linked_to)
SELECT * FROM unnest(
    %(crms)s::text[], %(kinds)s::text[], %(record_ids)s::text[], %(streams)s::uuid[],
    %(alive)s::boolean[], %(linked_to)s::text[]
)
ON CONFLICT DO NOTHING
