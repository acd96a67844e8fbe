-- name: end_refresh_leases
UPDATE refresh SET held_until = '-infinity' WHERE held_until IS NOT NULL

-- name: end_attempt_leases
UPDATE delivery_attempt SET lease_until = %(at)s
WHERE closed_at IS NULL AND lease_until > %(at)s
    AND (%(worker)s::text IS NULL OR worker = %(worker)s)
