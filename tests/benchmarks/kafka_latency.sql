-- name: answers
SELECT cause, answered_at FROM dealsync.outbound_write
JOIN dealsync.delivery USING (write_id)
WHERE outbound_write.crm = 'hubspot' AND state = 'done' AND answered_at > %(since)s
