COMMENT ON COLUMN audit_line.fields IS
    'Fields with their values: field, before, after, losing; and who set them, where that is known:
by (of after), losing_by';
COMMENT ON COLUMN audit_log.fields IS
    'Fields with their values: field, before, after, losing; and who set them, where that is known:
by (of after), losing_by';
