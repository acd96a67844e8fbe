-- Deliver's own tables: never rebuilt, never swapped. A write without a row is pending.

-- The row is also the lock: every transaction of deliver takes it first, so none can deadlock and
-- two claims cannot overlap.
CREATE TABLE delivery_cursor (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    event_id bigint NOT NULL DEFAULT 0
);
INSERT INTO delivery_cursor DEFAULT VALUES;
COMMENT ON TABLE delivery_cursor IS 'How far decided writes have their delivery row';
COMMENT ON COLUMN delivery_cursor.event_id IS 'Every write of an event up to this id has its row';

CREATE TABLE delivery (
    write_id uuid NOT NULL PRIMARY KEY,
    stream uuid NOT NULL,
    crm text NOT NULL,
    topic text NOT NULL,
    event_id bigint NOT NULL,
    priority smallint NOT NULL,
    needs_target boolean NOT NULL,
    state text NOT NULL CHECK (
        state IN ('pending', 'sent', 'done', 'rejected', 'unknown', 'held', 'cancelled')
    ),
    reason text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    attempt_id bigint,
    retry_at timestamptz,
    released boolean NOT NULL DEFAULT false,
    record_id text,
    sent_at timestamptz,
    answered_at timestamptz,
    echo text CHECK (echo IN ('confirmed', 'rewritten', 'never'))
) WITH (fillfactor = 80);
CREATE INDEX delivery_pending_idx ON delivery (crm, priority, event_id) WHERE state = 'pending';
CREATE INDEX delivery_waiting_idx ON delivery (crm, stream)
    WHERE state = 'pending' AND retry_at IS NOT NULL;
CREATE INDEX delivery_unsettled_idx ON delivery (crm, stream)
    WHERE state IN ('sent', 'unknown');
CREATE INDEX delivery_delete_idx ON delivery (event_id)
    WHERE topic = 'write.ArchiveDeal' AND state IN ('pending', 'held');
CREATE INDEX delivery_event_id_idx ON delivery (event_id);
CREATE INDEX delivery_stream_idx ON delivery (stream, event_id);
CREATE INDEX delivery_held_idx ON delivery (event_id) WHERE state = 'held';
CREATE INDEX delivery_unseen_idx ON delivery (answered_at) WHERE state = 'done' AND echo IS NULL;
COMMENT ON TABLE delivery IS 'What became of each write';
COMMENT ON COLUMN delivery.write_id IS 'The write; outbound_write says what it is';
COMMENT ON COLUMN delivery.stream IS 'The aggregate that decided it';
COMMENT ON COLUMN delivery.crm IS 'The CRM that is to do it; with the stream: the addressee';
COMMENT ON COLUMN delivery.topic IS 'Name of the write''s type';
COMMENT ON COLUMN delivery.event_id IS 'Id of the deciding event: the order of writes';
COMMENT ON COLUMN delivery.priority IS '0: pipelines, stages, properties, fields; 1: all else';
COMMENT ON COLUMN delivery.needs_target IS 'Whether the stream needs a living record in that CRM';
COMMENT ON COLUMN delivery.state IS 'pending, sent, done, rejected, unknown, held or cancelled';
COMMENT ON COLUMN delivery.reason IS 'Why it stands so, in words; blank: nothing to say';
COMMENT ON COLUMN delivery.attempts IS 'How many attempts were made';
COMMENT ON COLUMN delivery.attempt_id IS 'The latest attempt that sent it';
COMMENT ON COLUMN delivery.retry_at IS 'Pending, unknown: not before this';
COMMENT ON COLUMN delivery.released IS 'Whether a person let this delete go';
COMMENT ON COLUMN delivery.record_id IS 'The record created or written to';
COMMENT ON COLUMN delivery.sent_at IS 'Our clock before the latest call';
COMMENT ON COLUMN delivery.answered_at IS 'Our clock after its answer';
COMMENT ON COLUMN delivery.echo IS 'How a done write was seen again; null: not yet';

CREATE TABLE delivery_attempt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream uuid NOT NULL,
    crm text NOT NULL,
    write_ids uuid[] NOT NULL,
    number integer NOT NULL,
    resolving boolean NOT NULL,
    lease_until timestamptz NOT NULL,
    claimed_at timestamptz NOT NULL,
    begun_at timestamptz,
    closed_at timestamptz,
    answered_at timestamptz,
    answer text
);
CREATE UNIQUE INDEX delivery_attempt_open_idx ON delivery_attempt (stream, crm)
    WHERE closed_at IS NULL;
COMMENT ON TABLE delivery_attempt IS 'One row for each call and addressee';
COMMENT ON COLUMN delivery_attempt.id IS 'Also the token of its lease';
COMMENT ON COLUMN delivery_attempt.stream IS 'The addressee''s aggregate';
COMMENT ON COLUMN delivery_attempt.crm IS 'The addressee''s CRM';
COMMENT ON COLUMN delivery_attempt.write_ids IS 'The writes it was about, in event order';
COMMENT ON COLUMN delivery_attempt.number IS 'The largest of the writes'' attempts before, plus 1';
COMMENT ON COLUMN delivery_attempt.resolving IS 'Whether it only reads what became of them';
COMMENT ON COLUMN delivery_attempt.lease_until IS 'Until when the addressee is held';
COMMENT ON COLUMN delivery_attempt.claimed_at IS 'When it was taken';
COMMENT ON COLUMN delivery_attempt.begun_at IS 'Our clock before the call; null: no call went out';
COMMENT ON COLUMN delivery_attempt.closed_at IS 'When it ended; null: it is open';
COMMENT ON COLUMN delivery_attempt.answered_at IS 'When an answer was stored, perhaps too late';
COMMENT ON COLUMN delivery_attempt.answer IS 'What the CRM answered, in words';

CREATE TABLE delivery_outcome (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    crm text NOT NULL,
    write_id uuid NOT NULL,
    fact_topic text NOT NULL,
    body text NOT NULL,
    published_at timestamptz
);
CREATE INDEX delivery_outcome_unpublished_idx ON delivery_outcome (crm, id)
    WHERE published_at IS NULL;
CREATE INDEX delivery_outcome_write_id_idx ON delivery_outcome (write_id);
COMMENT ON TABLE delivery_outcome IS 'Outcomes on their way into the change log';
COMMENT ON COLUMN delivery_outcome.id IS 'Order in which they are appended';
COMMENT ON COLUMN delivery_outcome.crm IS 'The CRM that answered';
COMMENT ON COLUMN delivery_outcome.write_id IS 'The write';
COMMENT ON COLUMN delivery_outcome.fact_topic IS 'Name of the fact''s type';
COMMENT ON COLUMN delivery_outcome.body IS 'The fact as JSON';
COMMENT ON COLUMN delivery_outcome.published_at IS 'When the change log held it; null: perhaps not';

CREATE TABLE budget (
    crm text NOT NULL PRIMARY KEY,
    slots bigint[] NOT NULL DEFAULT '{}',
    slot_calls integer[] NOT NULL DEFAULT '{}',
    day date,
    day_calls integer NOT NULL DEFAULT 0
);
INSERT INTO budget (crm) VALUES ('salesforce'), ('hubspot');
COMMENT ON TABLE budget IS 'Calls made of each CRM';
COMMENT ON COLUMN budget.crm IS 'salesforce or hubspot';
COMMENT ON COLUMN budget.slots IS 'Numbers of the latest slots of the burst window, oldest first';
COMMENT ON COLUMN budget.slot_calls IS 'Calls in each of those slots';
COMMENT ON COLUMN budget.day IS 'The UTC day that day_calls counts';
COMMENT ON COLUMN budget.day_calls IS 'Calls on that day';

CREATE TABLE suspension (
    crm text NOT NULL PRIMARY KEY,
    until timestamptz NOT NULL,
    reason text NOT NULL,
    code text NOT NULL,
    since timestamptz NOT NULL
);
COMMENT ON TABLE suspension IS 'CRMs that are left alone for a while';
COMMENT ON COLUMN suspension.crm IS 'salesforce or hubspot';
COMMENT ON COLUMN suspension.until IS 'When it is tried again';
COMMENT ON COLUMN suspension.reason IS 'Why, in words';
COMMENT ON COLUMN suspension.code IS 'The vendor''s own code';
COMMENT ON COLUMN suspension.since IS 'When it began';

CREATE TABLE delete_fuse (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    blown_at timestamptz,
    mended_at timestamptz
);
INSERT INTO delete_fuse DEFAULT VALUES;
COMMENT ON TABLE delete_fuse IS 'Whether deletes wait for a person';
COMMENT ON COLUMN delete_fuse.blown_at IS 'Since when they wait; null: they do not';
COMMENT ON COLUMN delete_fuse.mended_at IS 'Deletes decided up to then are not counted';

-- The fuse counts deletes by when they were decided.
CREATE INDEX outbound_write_archive_idx ON outbound_write (decided_at)
    WHERE operation = 'archive' AND withdrawn_reason IS NULL;
CREATE INDEX outbound_write_withdrawn_idx ON outbound_write (write_id)
    WHERE withdrawn_reason IS NOT NULL;
COMMENT ON COLUMN delivery_cursor.only_row IS 'Keeps the table at one row';
COMMENT ON COLUMN delete_fuse.only_row IS 'Keeps the table at one row';
