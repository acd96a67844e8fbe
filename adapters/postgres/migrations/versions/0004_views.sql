CREATE TABLE view_position (
    name text NOT NULL PRIMARY KEY,
    event_id bigint NOT NULL DEFAULT 0,
    woken_to timestamptz
);
INSERT INTO view_position (name) VALUES ('sync_status'), ('contact_rollup'), ('reactions');
COMMENT ON TABLE view_position IS 'How far each follower is; the row is also its lock';
COMMENT ON COLUMN view_position.name IS 'The follower';
COMMENT ON COLUMN view_position.event_id IS 'Every event up to this id is folded in';
COMMENT ON COLUMN view_position.woken_to IS 'Reactions: instants up to this have come';

-- sync_status --------------------------------------------------------------------------------

CREATE TABLE sync_status (
    stream uuid NOT NULL PRIMARY KEY,
    state text NOT NULL,
    opportunity_id text,
    deal_id text,
    name text,
    contact_ids text[] NOT NULL,
    created_at timestamptz,
    amount numeric,
    close_date date,
    is_closed boolean NOT NULL,
    is_won boolean NOT NULL,
    record_type_id text,
    pipeline_id text,
    account_id text,
    company_id text,
    absorbed_into uuid,
    version bigint NOT NULL,
    last_decided_at timestamptz NOT NULL
);
CREATE INDEX sync_status_opportunity_id_idx ON sync_status (opportunity_id);
CREATE INDEX sync_status_deal_id_idx ON sync_status (deal_id);
CREATE INDEX sync_status_state_idx ON sync_status (state, stream);
COMMENT ON TABLE sync_status IS 'Pairs as they are: one row for each opportunity and its deal';
COMMENT ON COLUMN sync_status.stream IS 'The pair';
COMMENT ON COLUMN sync_status.state IS 'outside, waiting, live, stopped, detached or deleted';
COMMENT ON COLUMN sync_status.opportunity_id IS 'The living Salesforce opportunity; null: none';
COMMENT ON COLUMN sync_status.deal_id IS 'The living HubSpot deal; null: none';
COMMENT ON COLUMN sync_status.name IS 'Last synced name';
COMMENT ON COLUMN sync_status.contact_ids IS 'HubSpot contacts associated with the deal';
COMMENT ON COLUMN sync_status.created_at IS 'The earlier creation of the two records';
COMMENT ON COLUMN sync_status.amount IS 'Last synced amount; null: blank';
COMMENT ON COLUMN sync_status.close_date IS 'Last synced close date; null: blank';
COMMENT ON COLUMN sync_status.is_closed IS 'Whether the stage is a closed one';
COMMENT ON COLUMN sync_status.is_won IS 'Whether the stage is a won one';
COMMENT ON COLUMN sync_status.record_type_id IS 'The opportunity''s record type';
COMMENT ON COLUMN sync_status.pipeline_id IS 'The deal''s pipeline';
COMMENT ON COLUMN sync_status.account_id IS 'The opportunity''s account';
COMMENT ON COLUMN sync_status.company_id IS 'The deal''s primary company';
COMMENT ON COLUMN sync_status.absorbed_into IS 'The pair that carries this half pair on; null: none';
COMMENT ON COLUMN sync_status.version IS 'How many events the pair has';
COMMENT ON COLUMN sync_status.last_decided_at IS 'Our clock at the pair''s last decision';

CREATE TABLE open_issue (
    stream uuid NOT NULL,
    code text NOT NULL,
    subject text NOT NULL,
    text text NOT NULL,
    rule text NOT NULL,
    opened_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    occurrences integer NOT NULL,
    PRIMARY KEY (stream, code, subject)
);
CREATE INDEX open_issue_code_idx ON open_issue (code, opened_at);
COMMENT ON TABLE open_issue IS 'Problems that are open now; equal codes are one group';
COMMENT ON COLUMN open_issue.stream IS 'The pair, contact, account or catalog that has it';
COMMENT ON COLUMN open_issue.code IS 'Stable number of the problem';
COMMENT ON COLUMN open_issue.subject IS 'What it is about: a field, a contact, a record type';
COMMENT ON COLUMN open_issue.text IS 'What was found';
COMMENT ON COLUMN open_issue.rule IS 'The rule that found it';
COMMENT ON COLUMN open_issue.opened_at IS 'Our clock when it opened';
COMMENT ON COLUMN open_issue.changed_at IS 'Our clock when it was last told';
COMMENT ON COLUMN open_issue.occurrences IS 'How often it was told since it opened';

CREATE TABLE held_field (
    stream uuid NOT NULL,
    field text NOT NULL,
    side text NOT NULL,
    code text NOT NULL,
    detail text NOT NULL,
    value text,
    since timestamptz NOT NULL,
    PRIMARY KEY (stream, field, side)
);
COMMENT ON TABLE held_field IS 'Fields that wait: nothing is written for them on that side';
COMMENT ON COLUMN held_field.stream IS 'The pair';
COMMENT ON COLUMN held_field.field IS 'Our name of the field';
COMMENT ON COLUMN held_field.side IS 'The CRM that is not written: salesforce or hubspot';
COMMENT ON COLUMN held_field.code IS 'The issue''s code';
COMMENT ON COLUMN held_field.detail IS 'Why it waits';
COMMENT ON COLUMN held_field.value IS 'The value that cannot go';
COMMENT ON COLUMN held_field.since IS 'Our clock when it was held';

CREATE TABLE parked_fact (
    stream uuid NOT NULL,
    position text NOT NULL,
    topic text NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL,
    PRIMARY KEY (stream, position)
);
COMMENT ON TABLE parked_fact IS 'Facts that could not be decided, and those behind them';
COMMENT ON COLUMN parked_fact.stream IS 'The pair, contact or account whose facts wait';
COMMENT ON COLUMN parked_fact.position IS 'Source and offset of the fact in the change log';
COMMENT ON COLUMN parked_fact.topic IS 'Name of the fact''s type';
COMMENT ON COLUMN parked_fact.error IS 'Why it could not be decided';
COMMENT ON COLUMN parked_fact.parked_at IS 'Our clock when it was parked';

-- contact_rollup -----------------------------------------------------------------------------

CREATE TABLE contact_deal (
    contact_id text NOT NULL,
    stream uuid NOT NULL,
    state text NOT NULL,
    opportunity_id text,
    created_at timestamptz,
    amount text,
    close_date text,
    is_closed boolean NOT NULL,
    is_won boolean NOT NULL,
    PRIMARY KEY (contact_id, stream)
);
CREATE INDEX contact_deal_stream_idx ON contact_deal (stream);
COMMENT ON TABLE contact_deal IS 'Which pairs count for which HubSpot contact: live and stopped ones';
COMMENT ON COLUMN contact_deal.contact_id IS 'The HubSpot contact';
COMMENT ON COLUMN contact_deal.stream IS 'The pair';
COMMENT ON COLUMN contact_deal.state IS 'live or stopped';
COMMENT ON COLUMN contact_deal.opportunity_id IS 'The Salesforce opportunity';
COMMENT ON COLUMN contact_deal.created_at IS 'The earlier creation of the two records';
COMMENT ON COLUMN contact_deal.amount IS 'Last synced amount, as canonical text';
COMMENT ON COLUMN contact_deal.close_date IS 'Last synced close date, as canonical text';
COMMENT ON COLUMN contact_deal.is_closed IS 'Whether the stage is a closed one';
COMMENT ON COLUMN contact_deal.is_won IS 'Whether the stage is a won one';

CREATE TABLE contact_rollup (
    contact_id text NOT NULL PRIMARY KEY,
    associated_deals integer NOT NULL,
    first_deal_created_date timestamptz,
    recent_deal_close_date text,
    recent_deal_amount text,
    total_revenue text,
    has_open boolean NOT NULL,
    has_won boolean NOT NULL
);
COMMENT ON TABLE contact_rollup IS 'The five values of each HubSpot contact over its deals';
COMMENT ON COLUMN contact_rollup.contact_id IS 'The HubSpot contact';
COMMENT ON COLUMN contact_rollup.associated_deals IS 'How many deals';
COMMENT ON COLUMN contact_rollup.first_deal_created_date IS 'The earliest creation';
COMMENT ON COLUMN contact_rollup.recent_deal_close_date IS 'Of the recent deal; null: blank';
COMMENT ON COLUMN contact_rollup.recent_deal_amount IS 'Of the recent deal, exact; null: blank';
COMMENT ON COLUMN contact_rollup.total_revenue IS 'Sum of the closed-won amounts, exact';
COMMENT ON COLUMN contact_rollup.has_open IS 'Whether a live pair''s opportunity is open';
COMMENT ON COLUMN contact_rollup.has_won IS 'Whether a live pair''s opportunity is won';

-- reactions ----------------------------------------------------------------------------------

CREATE TABLE waiting_for (
    stream uuid NOT NULL,
    key text NOT NULL,
    due_at timestamptz,
    PRIMARY KEY (stream, key)
);
CREATE INDEX waiting_for_key_idx ON waiting_for (key text_pattern_ops, stream);
CREATE INDEX waiting_for_due_at_idx ON waiting_for (due_at) WHERE due_at IS NOT NULL;
COMMENT ON TABLE waiting_for IS 'What pairs wait for';
COMMENT ON COLUMN waiting_for.stream IS 'The pair that waits';
COMMENT ON COLUMN waiting_for.key IS
    'contact:salesforce:003…, contact:hubspot:77, account:001…, company:77, catalog, policy, time:…';
COMMENT ON COLUMN waiting_for.due_at IS 'The instant, where it waits for one';

CREATE TABLE directory (
    crm text NOT NULL,
    kind text NOT NULL,
    record_id text NOT NULL,
    what text NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (crm, kind, record_id, what, value)
);
CREATE INDEX directory_value_idx ON directory (crm, kind, what, value, record_id);
COMMENT ON TABLE directory IS 'By what contacts, accounts and companies find each other';
COMMENT ON COLUMN directory.crm IS 'salesforce or hubspot';
COMMENT ON COLUMN directory.kind IS 'contact, account or company';
COMMENT ON COLUMN directory.record_id IS 'The record''s id in its CRM; deleted ones stay';
COMMENT ON COLUMN directory.what IS 'carried_id, email, domain or name';
COMMENT ON COLUMN directory.value IS 'As it compares: trimmed, lower case; ids of 18 characters';

CREATE TABLE imported_account (
    stream uuid NOT NULL PRIMARY KEY
);
COMMENT ON TABLE imported_account IS 'Accounts that are to have a company';
COMMENT ON COLUMN imported_account.stream IS 'The account''s stream';

-- Never rebuilt: what stands here is told once, and folding again tells nothing.
CREATE TABLE reaction_due (
    kind text NOT NULL,
    target text NOT NULL,
    because text NOT NULL,
    event_id bigint NOT NULL,
    happened_at timestamptz NOT NULL,
    epoch integer NOT NULL,
    PRIMARY KEY (kind, target, because)
);
CREATE INDEX reaction_due_event_id_idx ON reaction_due (event_id, kind, target, because);
COMMENT ON TABLE reaction_due IS 'What is to be told to other aggregates; a row goes when it was';
COMMENT ON COLUMN reaction_due.kind IS
    'reconsider, account, candidates, imported, rollup, refresh or echo';
COMMENT ON COLUMN reaction_due.target IS 'The stream or record that hears of it';
COMMENT ON COLUMN reaction_due.because IS 'The key that came, or what changed';
COMMENT ON COLUMN reaction_due.event_id IS 'The latest event that makes it due';
COMMENT ON COLUMN reaction_due.happened_at IS 'When that happened';
COMMENT ON COLUMN reaction_due.epoch IS 'Counts recoveries of the store';

-- audit_line ---------------------------------------------------------------------------------

CREATE TABLE audit_line (
    stream uuid NOT NULL,
    version bigint NOT NULL,
    n smallint NOT NULL,
    event_id bigint NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    rule text NOT NULL,
    opportunity_id text,
    deal_id text,
    contact_id text,
    crm text,
    object text,
    record_id text,
    operation text,
    fields jsonb NOT NULL,
    reason text NOT NULL,
    ambiguous boolean NOT NULL,
    cause_fact text NOT NULL,
    cause_by text NOT NULL,
    cause_at timestamptz NOT NULL,
    policy_version integer NOT NULL,
    write_id uuid,
    PRIMARY KEY (stream, version, n)
);
CREATE INDEX audit_line_event_id_idx ON audit_line (event_id, n);
CREATE INDEX audit_line_write_id_idx ON audit_line (write_id) WHERE write_id IS NOT NULL;
COMMENT ON TABLE audit_line IS 'The audit log as its events say it; audit_log joins what they mean';
COMMENT ON COLUMN audit_line.stream IS 'The aggregate that decided';
COMMENT ON COLUMN audit_line.version IS 'Place of the event in that stream';
COMMENT ON COLUMN audit_line.n IS 'Number of the line of that event, from 0';
COMMENT ON COLUMN audit_line.event_id IS 'Id of the event: the order of lines';
COMMENT ON COLUMN audit_line.at IS 'Our clock when it was decided';
COMMENT ON COLUMN audit_line.kind IS
    'decided, not_written, held, cancelled, delivered, rejected, unknown or observed';
COMMENT ON COLUMN audit_line.rule IS 'The rule that says so';
COMMENT ON COLUMN audit_line.opportunity_id IS 'The opportunity, where the event names it';
COMMENT ON COLUMN audit_line.deal_id IS 'The deal, where the event names it';
COMMENT ON COLUMN audit_line.contact_id IS 'The contact, where the event names it';
COMMENT ON COLUMN audit_line.crm IS 'The CRM it is about';
COMMENT ON COLUMN audit_line.object IS 'deal, opportunity, contact_role, contact, company, …';
COMMENT ON COLUMN audit_line.record_id IS 'The record, where the event names it';
COMMENT ON COLUMN audit_line.operation IS 'create, update, archive, associate, …';
COMMENT ON COLUMN audit_line.fields IS 'Fields with their values: field, before, after, losing';
COMMENT ON COLUMN audit_line.reason IS 'Why, in words';
COMMENT ON COLUMN audit_line.ambiguous IS 'Whether time could not tell who won';
COMMENT ON COLUMN audit_line.cause_fact IS 'Id of the fact that was decided';
COMMENT ON COLUMN audit_line.cause_by IS 'Who did what the fact says; blank: nobody knows';
COMMENT ON COLUMN audit_line.cause_at IS 'When it happened, by the clock of where it happened';
COMMENT ON COLUMN audit_line.policy_version IS 'The policy it was decided under; 0: none yet';
COMMENT ON COLUMN audit_line.write_id IS 'The write it is about; null: none';

-- for people ---------------------------------------------------------------------------------

CREATE VIEW audit_log AS
SELECT
    format('%s:%s:%s', a.stream, a.version, a.n) AS id,
    a.event_id,
    a.at,
    a.kind,
    CASE WHEN a.kind IN ('delivered', 'rejected', 'unknown') THEN coalesce(d.rule, a.rule)
        ELSE a.rule END AS rule,
    a.stream AS pair_id,
    coalesce(a.opportunity_id, opportunity.record_id) AS opportunity_id,
    coalesce(a.deal_id, deal.record_id) AS deal_id,
    coalesce(a.contact_id, d.contact_id, contact.record_id) AS contact_id,
    coalesce(a.crm, d.crm) AS crm,
    coalesce(a.object, d.object) AS object,
    coalesce(
        a.record_id,
        d.record_id,
        CASE coalesce(a.object, d.object)
            WHEN 'deal' THEN deal.record_id
            WHEN 'opportunity' THEN opportunity.record_id
            WHEN 'contact' THEN contact.record_id
        END
    ) AS record_id,
    coalesce(a.operation, d.operation) AS operation,
    CASE WHEN a.fields = '[]' THEN coalesce(d.fields, a.fields) ELSE a.fields END AS fields,
    CASE WHEN a.reason = '' THEN coalesce(d.reason, '') ELSE a.reason END AS reason,
    a.ambiguous,
    a.cause_fact,
    a.cause_by,
    a.cause_at,
    a.policy_version,
    a.write_id
FROM audit_line AS a
LEFT JOIN audit_line AS d
    ON a.kind <> 'decided' AND d.write_id = a.write_id AND d.kind = 'decided'
LEFT JOIN LATERAL (
    SELECT record_id FROM record_identity AS r
    WHERE r.stream = a.stream AND r.kind = 'opportunity'
    ORDER BY r.alive DESC, r.record_id DESC LIMIT 1
) AS opportunity ON true
LEFT JOIN LATERAL (
    SELECT record_id FROM record_identity AS r
    WHERE r.stream = a.stream AND r.kind = 'deal'
    ORDER BY r.alive DESC, r.record_id DESC LIMIT 1
) AS deal ON true
LEFT JOIN LATERAL (
    SELECT record_id FROM record_identity AS r
    WHERE r.stream = a.stream AND r.kind = 'contact'
    ORDER BY r.alive DESC, r.record_id DESC LIMIT 1
) AS contact ON true;
COMMENT ON VIEW audit_log IS 'The audit log: every write, every decision not to write, every outcome';
COMMENT ON COLUMN audit_log.id IS 'Stream, version and number of the line';
COMMENT ON COLUMN audit_log.event_id IS 'Id of the event: order by it';
COMMENT ON COLUMN audit_log.at IS 'Our clock when it was decided';
COMMENT ON COLUMN audit_log.kind IS
    'decided, not_written, held, cancelled, delivered, rejected, unknown or observed';
COMMENT ON COLUMN audit_log.rule IS 'The rule that says so; of an outcome: the write''s';
COMMENT ON COLUMN audit_log.pair_id IS 'The pair; or the contact, account, catalog or policy';
COMMENT ON COLUMN audit_log.opportunity_id IS 'The pair''s opportunity';
COMMENT ON COLUMN audit_log.deal_id IS 'The pair''s deal';
COMMENT ON COLUMN audit_log.contact_id IS 'The contact it is about';
COMMENT ON COLUMN audit_log.crm IS 'The CRM it is about';
COMMENT ON COLUMN audit_log.object IS 'deal, opportunity, contact_role, contact, company, …';
COMMENT ON COLUMN audit_log.record_id IS 'The record it is about';
COMMENT ON COLUMN audit_log.operation IS 'create, update, archive, associate, …';
COMMENT ON COLUMN audit_log.fields IS 'Fields with their values: field, before, after, losing';
COMMENT ON COLUMN audit_log.reason IS 'Why, in words';
COMMENT ON COLUMN audit_log.ambiguous IS 'Whether time could not tell who won';
COMMENT ON COLUMN audit_log.cause_fact IS 'Id of the fact that was decided';
COMMENT ON COLUMN audit_log.cause_by IS 'Who did what the fact says; blank: nobody knows';
COMMENT ON COLUMN audit_log.cause_at IS 'When it happened, by the clock of where it happened';
COMMENT ON COLUMN audit_log.policy_version IS 'The policy it was decided under; 0: none yet';
COMMENT ON COLUMN audit_log.write_id IS 'The write it is about; an outcome has its decision''s';

CREATE VIEW cross_reference AS
SELECT
    'pair' AS kind,
    s.stream,
    s.state,
    s.opportunity_id AS salesforce_id,
    s.deal_id AS hubspot_id,
    s.name,
    ARRAY(
        SELECT r.record_id FROM record_identity AS r
        WHERE r.stream = s.stream AND r.crm = 'salesforce' AND NOT r.alive ORDER BY r.record_id
    ) AS former_salesforce_ids,
    ARRAY(
        SELECT r.record_id FROM record_identity AS r
        WHERE r.stream = s.stream AND r.crm = 'hubspot' AND NOT r.alive ORDER BY r.record_id
    ) AS former_hubspot_ids
FROM sync_status AS s
WHERE s.absorbed_into IS NULL
UNION ALL
SELECT
    r.kind,
    r.stream,
    CASE WHEN r.linked_to IS NULL THEN 'unlinked' ELSE 'linked' END,
    CASE WHEN r.crm = 'salesforce' THEN r.record_id END,
    CASE WHEN r.crm = 'hubspot' THEN r.record_id ELSE r.linked_to END,
    NULL,
    '{}',
    '{}'
FROM record_identity AS r
WHERE r.kind IN ('contact', 'account', 'company') AND r.alive
    AND (r.crm = 'salesforce' OR r.linked_to IS NULL);
COMMENT ON VIEW cross_reference IS 'Which record of one CRM is which of the other';
COMMENT ON COLUMN cross_reference.kind IS 'pair, contact, account or company';
COMMENT ON COLUMN cross_reference.stream IS 'The aggregate; a link has the Salesforce record''s';
COMMENT ON COLUMN cross_reference.state IS 'Of a pair: its state; else linked or unlinked';
COMMENT ON COLUMN cross_reference.salesforce_id IS 'The Salesforce record; null: none';
COMMENT ON COLUMN cross_reference.hubspot_id IS 'The HubSpot record; null: none';
COMMENT ON COLUMN cross_reference.name IS 'Of a pair: its last synced name';
COMMENT ON COLUMN cross_reference.former_salesforce_ids IS 'Of a pair: deleted opportunities it had';
COMMENT ON COLUMN cross_reference.former_hubspot_ids IS 'Of a pair: deleted deals it had';

CREATE VIEW write_log AS
SELECT
    w.write_id,
    w.stream AS pair_id,
    w.crm,
    w.operation,
    w.rule,
    w.reason,
    w.ambiguous,
    w.policy_version,
    w.decided_at,
    CASE WHEN d.write_id IS NULL AND w.withdrawn_reason IS NOT NULL THEN 'cancelled'
        ELSE coalesce(d.state, 'pending') END AS state,
    coalesce(nullif(d.reason, ''), w.withdrawn_reason) AS state_reason,
    coalesce(d.attempts, 0) AS attempts,
    d.record_id,
    d.sent_at,
    d.answered_at,
    d.retry_at,
    d.echo
FROM outbound_write AS w
LEFT JOIN delivery AS d USING (write_id);
COMMENT ON VIEW write_log IS 'Every decided write and what became of it';
COMMENT ON COLUMN write_log.write_id IS 'The write';
COMMENT ON COLUMN write_log.pair_id IS 'The pair, contact, account or catalog that decided it';
COMMENT ON COLUMN write_log.crm IS 'The CRM that is to do it';
COMMENT ON COLUMN write_log.operation IS 'create, update, archive, associate, …';
COMMENT ON COLUMN write_log.rule IS 'The rule that wants it';
COMMENT ON COLUMN write_log.reason IS 'Why, in words';
COMMENT ON COLUMN write_log.ambiguous IS 'Whether time could not tell who won';
COMMENT ON COLUMN write_log.policy_version IS 'The policy it was decided under';
COMMENT ON COLUMN write_log.decided_at IS 'Our clock when it was decided';
COMMENT ON COLUMN write_log.state IS 'pending, sent, done, rejected, unknown, held or cancelled';
COMMENT ON COLUMN write_log.state_reason IS 'Why it stands so; null: nothing to say';
COMMENT ON COLUMN write_log.attempts IS 'How many attempts were made';
COMMENT ON COLUMN write_log.record_id IS 'The record created or written to';
COMMENT ON COLUMN write_log.sent_at IS 'Our clock before the latest call';
COMMENT ON COLUMN write_log.answered_at IS 'Our clock after its answer';
COMMENT ON COLUMN write_log.retry_at IS 'Not before this';
COMMENT ON COLUMN write_log.echo IS 'How it was seen again: confirmed, rewritten or never';

-- what other migrations left without a word ----------------------------------------------------

COMMENT ON TABLE migration IS 'The schema''s own version';
COMMENT ON COLUMN migration.version_num IS 'Number of the newest migration';
COMMENT ON COLUMN refresh.id IS 'Order in which wishes came';
COMMENT ON COLUMN refresh.crm IS 'salesforce or hubspot';
COMMENT ON COLUMN refresh.kind IS 'opportunity, deal, contact, account, company or catalog';
COMMENT ON COLUMN refresh.reason IS 'webhook, import, sync_now, resume, merge, gap or wanted';
COMMENT ON COLUMN bookmark.name IS 'Whose bookmark it is';
COMMENT ON COLUMN bookmark.text IS 'What it resumes from, in its own form';
COMMENT ON COLUMN webhook_inbox.id IS 'Order in which deliveries came';
COMMENT ON COLUMN webhook_inbox.received_at IS 'Our clock when it came';
COMMENT ON COLUMN webhook_inbox.body IS 'The delivery, byte for byte';

-- A role that may only read. It belongs to the whole server, so it may be there already, and a
-- database whose owner may not make roles goes without.
DO $$
BEGIN
    BEGIN
        CREATE ROLE dealsync_reader LOGIN;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    ALTER ROLE dealsync_reader SET default_transaction_read_only = on;
    ALTER ROLE dealsync_reader SET statement_timeout = '60s';
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO dealsync_reader', current_schema());
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO dealsync_reader', current_schema());
    EXECUTE format(
        'ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO dealsync_reader',
        current_schema()
    );
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'no role dealsync_reader: %', SQLERRM;
END
$$;
