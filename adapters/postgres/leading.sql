-- name: take
INSERT INTO leadership (role, worker, until)
VALUES (%(role)s, %(worker)s, clock_timestamp() + make_interval(secs => %(seconds)s))
ON CONFLICT (role) DO UPDATE SET
    worker = EXCLUDED.worker,
    until = EXCLUDED.until,
    since = CASE
        WHEN leadership.worker = EXCLUDED.worker THEN leadership.since ELSE clock_timestamp()
    END
WHERE leadership.worker = EXCLUDED.worker OR leadership.until <= clock_timestamp()
RETURNING role

-- name: resign
UPDATE leadership SET until = clock_timestamp()
WHERE role = %(role)s AND worker = %(worker)s
