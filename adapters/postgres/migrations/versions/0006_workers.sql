-- What only one worker may do at a time. Its own clock is the database's, so that workers on
-- several machines agree on when a term is over.
CREATE TABLE leadership (
    role text NOT NULL PRIMARY KEY,
    worker text NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    until timestamptz NOT NULL
);
COMMENT ON TABLE leadership IS 'What only one worker does at a time, and who that is';
COMMENT ON COLUMN leadership.role IS 'What is led: ingest';
COMMENT ON COLUMN leadership.worker IS 'Name of the worker that leads';
COMMENT ON COLUMN leadership.since IS 'Since when it does';
COMMENT ON COLUMN leadership.until IS 'From then on another one may, unless it says that it is there';

-- A worker that comes back ends its own leases, and nobody else's. Connections bear its name.
ALTER TABLE delivery_attempt
    ADD COLUMN worker text NOT NULL DEFAULT current_setting('application_name');
COMMENT ON COLUMN delivery_attempt.worker IS 'Name of the worker that made the call';
