-- name: versions
SELECT s.stream::text, coalesce((
    SELECT max(e.originator_version) FROM stored_events AS e WHERE e.originator_id = s.stream
), 0)
FROM unnest(%(streams)s::uuid[]) AS s (stream)
