-- name: load_pairs
SELECT
    stream::text, state, opportunity_id, deal_id, name, contact_ids, created_at, amount, close_date,
    is_closed, is_won, record_type_id, pipeline_id, account_id, company_id, absorbed_into::text,
    version, last_decided_at
FROM sync_status WHERE stream = ANY(%(streams)s::uuid[])

-- name: load_issues
SELECT stream::text, code, subject, text, rule, opened_at, changed_at, occurrences
FROM open_issue WHERE stream = ANY(%(streams)s::uuid[])

-- name: load_held
SELECT stream::text, field, side, code, detail, value, since
FROM held_field WHERE stream = ANY(%(streams)s::uuid[])

-- name: load_parked
SELECT stream::text, position, topic, error, parked_at
FROM parked_fact WHERE stream = ANY(%(streams)s::uuid[])

-- name: save_pair
INSERT INTO sync_status (
    stream, state, opportunity_id, deal_id, name, contact_ids, created_at, amount, close_date,
    is_closed, is_won, record_type_id, pipeline_id, account_id, company_id, absorbed_into, version,
    last_decided_at
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (stream) DO UPDATE SET (
    state, opportunity_id, deal_id, name, contact_ids, created_at, amount, close_date,
    is_closed, is_won, record_type_id, pipeline_id, account_id, company_id, absorbed_into, version,
    last_decided_at
) = ROW(
    excluded.state, excluded.opportunity_id, excluded.deal_id, excluded.name, excluded.contact_ids,
    excluded.created_at, excluded.amount, excluded.close_date, excluded.is_closed, excluded.is_won,
    excluded.record_type_id, excluded.pipeline_id, excluded.account_id, excluded.company_id,
    excluded.absorbed_into, excluded.version, excluded.last_decided_at
)

-- name: save_issue
INSERT INTO open_issue (stream, code, subject, text, rule, opened_at, changed_at, occurrences)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (stream, code, subject) DO UPDATE SET (text, changed_at, opened_at, occurrences)
    = ROW(excluded.text, excluded.changed_at, excluded.opened_at, excluded.occurrences)

-- name: drop_issue
DELETE FROM open_issue WHERE stream = %s AND code = %s AND subject = %s

-- name: save_held
INSERT INTO held_field (stream, field, side, code, detail, value, since)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (stream, field, side) DO UPDATE SET (code, detail, value, since)
    = ROW(excluded.code, excluded.detail, excluded.value, excluded.since)

-- name: drop_held
DELETE FROM held_field WHERE stream = %s AND field = %s AND side = %s

-- name: save_parked
INSERT INTO parked_fact (stream, position, topic, error, parked_at)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (stream, position) DO UPDATE SET (topic, error, parked_at)
    = ROW(excluded.topic, excluded.error, excluded.parked_at)

-- name: drop_parked
DELETE FROM parked_fact WHERE stream = %s AND position = %s
