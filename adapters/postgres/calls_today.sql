-- name: calls_today
SELECT crm, CASE WHEN day = (%(at)s::timestamptz AT TIME ZONE 'UTC')::date THEN day_calls ELSE 0 END
FROM budget
