-- name: publish_nothing
UPDATE publication
SET event_id = (SELECT coalesce(max(notification_id), 0) FROM stored_events)
