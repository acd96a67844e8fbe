CREATE TABLE refresh (
    id bigserial PRIMARY KEY,
    crm text NOT NULL,
    kind text NOT NULL,
    record_id text NOT NULL,
    reason text NOT NULL,
    cause text NOT NULL,
    hint text NOT NULL,
    happened_at timestamptz NOT NULL,
    held_until timestamptz
);
-- A wish that waits is not doubled. One that is being read is: that reading may have begun too soon.
CREATE UNIQUE INDEX refresh_waiting_idx
    ON refresh (crm, kind, record_id, reason, cause, hint) WHERE held_until IS NULL;
CREATE INDEX refresh_order_idx ON refresh (crm, id);
COMMENT ON TABLE refresh IS 'Records that somebody wants read; a row goes when its facts are durable';
COMMENT ON COLUMN refresh.record_id IS 'The CRM''s own id; blank for the catalog';
COMMENT ON COLUMN refresh.cause IS 'Id of the request, event or webhook that asks';
COMMENT ON COLUMN refresh.hint IS 'What the asker knows, such as a webhook''s type';
COMMENT ON COLUMN refresh.happened_at IS 'When what made us look happened';
COMMENT ON COLUMN refresh.held_until IS 'A reader holds it until then; null: nobody ever did';

CREATE TABLE bookmark (
    name text PRIMARY KEY,
    text text NOT NULL
);
COMMENT ON TABLE bookmark IS 'Where each source resumes';

CREATE TABLE webhook_inbox (
    id bigserial PRIMARY KEY,
    received_at timestamptz NOT NULL,
    signature_hash text NOT NULL UNIQUE,
    body bytea NOT NULL
);
COMMENT ON TABLE webhook_inbox IS 'Webhook deliveries as they came';
COMMENT ON COLUMN webhook_inbox.signature_hash IS
    'Hash of signature and timestamp: the same delivery sent again is recognised';
COMMENT ON COLUMN refresh.id IS 'Rises with each wish: the oldest is read first';
COMMENT ON COLUMN refresh.crm IS 'salesforce or hubspot';
COMMENT ON COLUMN refresh.kind IS 'opportunity, deal, contact, account, company or catalog';
COMMENT ON COLUMN refresh.reason IS 'Why it is to be read: webhook, import, sync_now, gap, …';
COMMENT ON COLUMN bookmark.name IS 'Whose bookmark it is';
COMMENT ON COLUMN bookmark.text IS 'What the source needs to resume';
COMMENT ON COLUMN webhook_inbox.id IS 'Rises with each webhook';
COMMENT ON COLUMN webhook_inbox.received_at IS 'Our clock when it came in';
COMMENT ON COLUMN webhook_inbox.body IS 'The raw body, as it was signed';
