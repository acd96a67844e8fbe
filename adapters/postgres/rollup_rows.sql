-- name: contacts_of
SELECT DISTINCT contact_id FROM contact_deal WHERE stream = ANY(%(streams)s::uuid[])

-- name: all_contacts
SELECT contact_id FROM contact_rollup WHERE contact_id > %(after)s
ORDER BY contact_id LIMIT %(limit)s

-- name: deals
SELECT
    contact_id, stream::text, state, opportunity_id, created_at, amount, close_date, is_closed, is_won
FROM contact_deal WHERE contact_id = ANY(%(contacts)s::text[])

-- name: rollups
SELECT
    contact_id, associated_deals, first_deal_created_date, recent_deal_close_date,
    recent_deal_amount, total_revenue, has_open, has_won
FROM contact_rollup WHERE contact_id = ANY(%(contacts)s::text[])

-- name: drop_deals
DELETE FROM contact_deal WHERE stream = %s

-- name: save_deal
INSERT INTO contact_deal (
    contact_id, stream, state, opportunity_id, created_at, amount, close_date, is_closed, is_won
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: save_rollup
INSERT INTO contact_rollup (
    contact_id, associated_deals, first_deal_created_date, recent_deal_close_date,
    recent_deal_amount, total_revenue, has_open, has_won
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (contact_id) DO UPDATE SET (
    associated_deals, first_deal_created_date, recent_deal_close_date, recent_deal_amount,
    total_revenue, has_open, has_won
) = ROW(
    excluded.associated_deals, excluded.first_deal_created_date, excluded.recent_deal_close_date,
    excluded.recent_deal_amount, excluded.total_revenue, excluded.has_open, excluded.has_won
)

-- name: policy_before
SELECT topic, state FROM stored_events
WHERE originator_id = %(stream)s::uuid AND topic = %(topic)s AND notification_id < %(event_id)s
ORDER BY originator_version DESC LIMIT 1
