-- The row is also the lock: who holds it publishes.
CREATE TABLE publication (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch integer NOT NULL DEFAULT 0,
    event_id bigint NOT NULL DEFAULT 0,
    told bigint NOT NULL DEFAULT 0
);
INSERT INTO publication DEFAULT VALUES;
COMMENT ON TABLE publication IS 'How far decided events are published, where facts are in Kafka';
COMMENT ON COLUMN publication.only_row IS 'Keeps the table at one row';
COMMENT ON COLUMN publication.epoch IS 'How often the store was recovered from what is published';
COMMENT ON COLUMN publication.event_id IS 'Every event up to this id is published';
COMMENT ON COLUMN publication.told IS 'The highest such id that published records tell';

CREATE TABLE publication_partition (
    partition integer NOT NULL PRIMARY KEY,
    event_id bigint NOT NULL
);
COMMENT ON TABLE publication_partition IS 'What was last published to each partition';
COMMENT ON COLUMN publication_partition.partition IS 'Number of the partition, from 0';
COMMENT ON COLUMN publication_partition.event_id IS 'Id of the last event published to it';
