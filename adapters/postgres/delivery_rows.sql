-- name: lock
SELECT event_id FROM delivery_cursor FOR UPDATE

-- name: adopt_until
-- Null where no newer event is.
SELECT CASE
    WHEN max(notification_id) IS NOT NULL
        THEN least(max(notification_id), %(after)s::bigint + %(window)s::bigint)
END
FROM stored_events
WHERE notification_id > %(after)s

-- name: adopt
-- Every writer of events holds one lock until its commit, so no event below a visible one is
-- still on its way.
INSERT INTO delivery
    (write_id, stream, crm, topic, event_id, priority, needs_target, state)
SELECT
    w.write_id, w.stream, w.crm, w.topic, e.notification_id,
    CASE WHEN w.topic = ANY(%(definitions)s) THEN 0 ELSE 1 END,
    NOT w.topic = ANY(%(free)s),
    'pending'
FROM stored_events AS e
JOIN outbound_write AS w ON w.stream = e.originator_id AND w.version = e.originator_version
WHERE e.notification_id > %(after)s
    AND e.notification_id <= %(until)s
    AND e.topic = 'any.WriteDecided'
ON CONFLICT (write_id) DO NOTHING

-- name: move_cursor
UPDATE delivery_cursor SET event_id = %(until)s

-- name: suspensions
SELECT crm, until, reason, code, since FROM suspension WHERE until > %(at)s ORDER BY crm

-- name: suspend
INSERT INTO suspension (crm, until, reason, code, since)
VALUES (%(crm)s, %(until)s, %(reason)s, %(code)s, %(since)s)
ON CONFLICT (crm) DO UPDATE
SET until = greatest(suspension.until, excluded.until),
    reason = excluded.reason,
    code = excluded.code,
    since = CASE WHEN suspension.until > excluded.since THEN suspension.since
        ELSE excluded.since END

-- name: budgets
SELECT crm, slots, slot_calls, day, day_calls FROM budget
WHERE crm = ANY(%(crms)s) ORDER BY crm FOR UPDATE

-- name: spend
UPDATE budget
SET slots = %(slots)s, slot_calls = %(slot_calls)s, day = %(day)s, day_calls = %(day_calls)s
WHERE crm = %(crm)s

-- name: add_outcomes
INSERT INTO delivery_outcome (crm, write_id, fact_topic, body)
SELECT r.crm, r.write_id, r.fact_topic, r.body
FROM unnest(%(crms)s::text[], %(writes)s::uuid[], %(topics)s::text[], %(bodies)s::text[])
    WITH ORDINALITY AS r (crm, write_id, fact_topic, body, place)
ORDER BY r.place
