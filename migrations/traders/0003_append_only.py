"""What was written stays: versions and prompt texts are never changed, configurations never deleted.

TRUNCATE has one way through, for the tests' flush: a database named test_... whose session says
`nof0.test_flush = on`.
"""

from __future__ import annotations

from django.db import migrations

FUNCTION = """
CREATE FUNCTION nof0_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%' AND
       current_setting('nof0.test_flush', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% of % refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""

APPEND_ONLY = ("trader_config_versions", "manager_config_versions", "prompt_texts")
NEVER_DELETED = {
    "trader_config": "traders are retired, never deleted",
    "manager_config": "the fleet settings are changed, never deleted",
}

TRIGGERS = "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('what was written stays as it is');
"""
    for table in APPEND_ONLY
) + "".join(
    f"""
CREATE TRIGGER {table}_never_deleted BEFORE DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('{reason}');
"""
    for table, reason in NEVER_DELETED.items()
)

DROP_TRIGGERS = "".join(f"DROP TRIGGER {table}_append_only ON {table};" for table in APPEND_ONLY) + "".join(
    f"DROP TRIGGER {table}_never_deleted ON {table};" for table in NEVER_DELETED
)


class Migration(migrations.Migration):
    dependencies = [("traders", "0002_history")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION nof0_refuse_change();"),
        migrations.RunSQL(TRIGGERS, DROP_TRIGGERS),
    ]
