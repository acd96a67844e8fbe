-- name: count_waiting
SELECT
    -- A pair that syncs no more waits for nothing.
    (
        SELECT count(*) FROM held_field AS h
        LEFT JOIN sync_status AS s ON s.stream = h.stream
        WHERE s.state IS NULL OR s.state NOT IN ('detached', 'deleted')
    ) AS held_fields,
    (SELECT count(*) FROM open_issue) AS open_issues,
    -- Refused writes that somebody has to see to: a pair's while its issue is open, the newest of
    -- its kind; another record's until a write of that kind followed.
    (
        SELECT count(*)
        FROM delivery AS d
        LEFT JOIN sync_status AS s ON s.stream = d.stream AND s.state IS NOT NULL
        WHERE d.state = 'rejected'
            AND NOT EXISTS (
                SELECT FROM delivery AS later
                WHERE later.stream = d.stream AND later.topic = d.topic
                    AND later.event_id > d.event_id
                    AND (s.stream IS NULL OR later.state = 'rejected')
            )
            AND (
                s.stream IS NULL
                OR EXISTS (
                    SELECT FROM open_issue AS i
                    WHERE i.stream = d.stream
                        AND (i.code = 'DS406' OR (i.code = 'DS407' AND i.subject = d.topic))
                )
            )
    ) AS rejected,
    (SELECT count(*) FROM parked_fact) AS parked,
    (SELECT count(DISTINCT stream) FROM waiting_for WHERE key LIKE 'contact:%') AS contact_pending,
    (
        SELECT count(*) FROM sync_status
        WHERE state = 'waiting' AND absorbed_into IS NULL
            AND (opportunity_id IS NULL OR deal_id IS NULL)
    ) AS incomplete_creates

-- name: behind
SELECT
    coalesce((
        SELECT count(*) FROM stored_events
        WHERE notification_id > (SELECT min(event_id) FROM view_position)
    ), 0),
    (SELECT count(*) FROM reaction_due)
