-- name: fingerprint
-- What a side left, but for the order over streams and for the fact's place, which the library's
-- way does not keep.
SELECT
    (
        SELECT md5(string_agg(
            concat_ws(' ', originator_id, originator_version, topic, md5(state)), ','
            ORDER BY originator_id, originator_version
        )) FROM stored_events
    ),
    (
        SELECT md5(string_agg(outbound_write::text, ',' ORDER BY write_id))
        FROM outbound_write
    ),
    (
        SELECT md5(string_agg(
            (to_jsonb(audit_line) - 'event_id')::text, ',' ORDER BY stream, version, n
        )) FROM audit_line
    ),
    (
        SELECT md5(string_agg(record_identity::text, ',' ORDER BY crm, kind, record_id))
        FROM record_identity
    )
