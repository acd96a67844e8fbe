-- name: count_waiting
SELECT
    (SELECT count(*) FROM held_field) AS held_fields,
    (SELECT count(*) FROM open_issue) AS open_issues,
    (SELECT count(*) FROM delivery WHERE state = 'rejected') AS rejected,
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
