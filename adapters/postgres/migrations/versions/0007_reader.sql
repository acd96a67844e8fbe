-- A session may switch off that its transactions are read-only, and everybody may make temporary
-- tables and large objects by default: what the reader cannot do has to be a matter of rights.
-- Only the owner of the database can take the first back, only a superuser the second; in somebody
-- else's database both stay as they are (docs/analysts.md says what its owner can run).
DO $$
DECLARE
    made_by text;
BEGIN
    -- Other schemas of this database are migrated under locks of their own.
    PERFORM pg_advisory_xact_lock(hashtext('dealsync_reader'));
    IF EXISTS (
        SELECT FROM pg_database
        WHERE datname = current_database() AND pg_has_role(datdba, 'MEMBER')
            AND has_database_privilege('public', oid, 'TEMPORARY')
    ) THEN
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO CURRENT_USER', current_database());
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    END IF;
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        FOR made_by IN
            SELECT oid::regprocedure FROM pg_proc
            WHERE pronamespace = 'pg_catalog'::regnamespace
                AND (proname LIKE 'lo\_%' OR proname IN ('loread', 'lowrite'))
                AND has_function_privilege('public', oid, 'EXECUTE')
        LOOP
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', made_by);
        END LOOP;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'the reader keeps what everybody may: %', SQLERRM;
END
$$;
