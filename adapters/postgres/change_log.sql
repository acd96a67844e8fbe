-- name: draw_offsets
-- Take the offsets of a batch, source by source. The row lock lasts to the commit, and sources come
-- in one order, so two appenders never wait for each other.
UPDATE change_log_source SET next_offset = next_offset + %(count)s
WHERE topic = %(topic)s AND partition = %(partition)s
RETURNING next_offset - %(count)s

-- name: copy_facts
COPY change_log (topic, partition, fact_offset, key, fact_id, fact_topic, body)
FROM STDIN (FORMAT BINARY)

-- name: heads
SELECT topic || ':' || partition, next_offset - 1 FROM change_log_source ORDER BY 1

-- name: read
-- A few of each source; every source is one index scan.
SELECT wanted.source, logged.fact_offset, logged.fact_topic, logged.body
FROM unnest(
    %(sources)s::text[], %(topics)s::text[], %(partitions)s::integer[], %(afters)s::bigint[],
    %(counts)s::bigint[]
) AS wanted (source, topic, partition, after, count)
CROSS JOIN LATERAL (
    SELECT fact_offset, fact_topic, body FROM change_log
    WHERE change_log.topic = wanted.topic AND change_log.partition = wanted.partition
        AND fact_offset > wanted.after
    ORDER BY fact_offset
    LIMIT wanted.count
) AS logged
ORDER BY wanted.source COLLATE "C", logged.fact_offset
