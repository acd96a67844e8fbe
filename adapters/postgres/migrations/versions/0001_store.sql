-- The event store of the eventsourcing library, with its own names, so that its readers work on it.
CREATE TABLE stored_events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigserial NOT NULL,
    source text NOT NULL DEFAULT '',
    source_offset bigint NOT NULL DEFAULT -1,
    decided_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01
);
CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id);
COMMENT ON TABLE stored_events IS 'What was decided: one row an event, never changed';
COMMENT ON COLUMN stored_events.originator_id IS 'The stream: one aggregate';
COMMENT ON COLUMN stored_events.originator_version IS 'Place in the stream: 1, 2, 3, without holes';
COMMENT ON COLUMN stored_events.topic IS 'Name of the event''s type';
COMMENT ON COLUMN stored_events.state IS 'The event as JSON, UTF-8';
COMMENT ON COLUMN stored_events.notification_id IS
    'Rises over all streams in commit order, with holes where a transaction failed';
COMMENT ON COLUMN stored_events.source IS 'Topic and partition of the fact that was decided';
COMMENT ON COLUMN stored_events.source_offset IS 'Offset of that fact in its source';
COMMENT ON COLUMN stored_events.decided_at IS 'Our clock when it was decided';

-- The library's table of positions; ours are moved by compare-and-set only.
CREATE TABLE notification_tracking (
    application_name text NOT NULL PRIMARY KEY,
    notification_id bigint NOT NULL
);
COMMENT ON TABLE notification_tracking IS 'How far each source of facts is decided';
COMMENT ON COLUMN notification_tracking.application_name IS 'The source: topic and partition';
COMMENT ON COLUMN notification_tracking.notification_id IS 'Offset of the last decided fact';

CREATE TABLE record_identity (
    crm text NOT NULL,
    kind text NOT NULL,
    record_id text NOT NULL,
    stream uuid NOT NULL,
    alive boolean NOT NULL,
    linked_to text,
    PRIMARY KEY (crm, kind, record_id)
);
CREATE INDEX record_identity_stream_idx ON record_identity (stream);
CREATE UNIQUE INDEX record_identity_linked_to_idx
    ON record_identity (crm, kind, linked_to) WHERE linked_to IS NOT NULL;
COMMENT ON TABLE record_identity IS 'Which aggregate a CRM record belongs to';
COMMENT ON COLUMN record_identity.crm IS 'salesforce or hubspot';
COMMENT ON COLUMN record_identity.kind IS 'opportunity, deal, contact, lead, account or company';
COMMENT ON COLUMN record_identity.record_id IS 'The record''s id in its CRM';
COMMENT ON COLUMN record_identity.stream IS 'The aggregate''s stream';
COMMENT ON COLUMN record_identity.alive IS 'False: deleted, archived or merged away';
COMMENT ON COLUMN record_identity.linked_to IS
    'Contacts, accounts, companies: id of the same person or firm in the other CRM';

CREATE TABLE outbound_write (
    write_id uuid NOT NULL PRIMARY KEY,
    stream uuid NOT NULL,
    version bigint NOT NULL,
    crm text NOT NULL,
    operation text NOT NULL,
    topic text NOT NULL,
    payload json NOT NULL,
    rule text NOT NULL,
    reason text NOT NULL,
    ambiguous boolean NOT NULL,
    cause text NOT NULL,
    policy_version integer NOT NULL,
    decided_at timestamptz NOT NULL,
    withdrawn_reason text,
    UNIQUE (stream, version)
);
COMMENT ON TABLE outbound_write IS 'What a CRM should do: one row a decision';
COMMENT ON COLUMN outbound_write.write_id IS 'Derived from stream, version and place';
COMMENT ON COLUMN outbound_write.stream IS 'The aggregate that decided it';
COMMENT ON COLUMN outbound_write.version IS 'Place of the deciding event in that stream';
COMMENT ON COLUMN outbound_write.crm IS 'The CRM that is to do it';
COMMENT ON COLUMN outbound_write.operation IS 'create, update, archive, associate, …';
COMMENT ON COLUMN outbound_write.topic IS 'Name of the write''s type';
COMMENT ON COLUMN outbound_write.payload IS 'The write, whole';
COMMENT ON COLUMN outbound_write.rule IS 'The rule that wants it';
COMMENT ON COLUMN outbound_write.reason IS 'Why, in words';
COMMENT ON COLUMN outbound_write.ambiguous IS 'Whether time could not tell who won';
COMMENT ON COLUMN outbound_write.cause IS 'Id of the fact that was decided';
COMMENT ON COLUMN outbound_write.policy_version IS 'The policy it was decided under';
COMMENT ON COLUMN outbound_write.decided_at IS 'Our clock when it was decided';
COMMENT ON COLUMN outbound_write.withdrawn_reason IS 'Why it is not wanted any more; null: it is';

-- The change log where no Kafka is. The row of a source is its lock: offsets are drawn from it
-- under the row lock that lasts to the commit, so a reader that sees an offset sees all below it.
CREATE TABLE change_log_source (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE change_log_source IS 'The sources of facts: as many partitions in each topic';
COMMENT ON COLUMN change_log_source.topic IS 'Name of the topic';
COMMENT ON COLUMN change_log_source.partition IS 'Number of the partition, from 0';
COMMENT ON COLUMN change_log_source.next_offset IS 'The offset that the next fact will get';
INSERT INTO change_log_source (topic, partition)
SELECT topic, partition
FROM unnest(ARRAY[
    'crm.salesforce.changes.v1', 'crm.hubspot.changes.v1', 'sync.outcomes.v1', 'sync.requests.v1',
    'sync.signals.v1'
]) AS topic, generate_series(0, 7) AS partition;

CREATE TABLE change_log (
    topic text NOT NULL,
    partition integer NOT NULL,
    fact_offset bigint NOT NULL,
    key text NOT NULL,
    fact_id text NOT NULL,
    fact_topic text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (topic, partition, fact_offset)
);
CREATE INDEX change_log_fact_id_idx ON change_log (fact_id);
COMMENT ON TABLE change_log IS 'What happened: one row a fact, never changed';
COMMENT ON COLUMN change_log.topic IS 'The topic it was appended to';
COMMENT ON COLUMN change_log.partition IS 'The partition, by crc32 of the key';
COMMENT ON COLUMN change_log.fact_offset IS 'Place in the source: from 0, without holes';
COMMENT ON COLUMN change_log.key IS 'Facts of one key keep their order';
COMMENT ON COLUMN change_log.fact_id IS 'Derived from what the fact says';
COMMENT ON COLUMN change_log.fact_topic IS 'Name of the fact''s type';
COMMENT ON COLUMN change_log.body IS 'The fact as JSON';
