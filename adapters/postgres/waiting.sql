-- name: count_waiting
SELECT
    (SELECT count(*) FROM delivery WHERE state = 'rejected'),
    (
        SELECT count(*) FILTER (WHERE topic = 'any.FactParked')
            - count(*) FILTER (WHERE topic = 'any.ParkedFactSettled')
        FROM stored_events WHERE topic IN ('any.FactParked', 'any.ParkedFactSettled')
    )
