"""Sample data can be taken away again, and nothing else: a way through the append-only tables for its rows alone.

Sample traders are those that `created_by` calls 'sample', which nobody can change afterwards. In a transaction that
says `nof0.removing_sample = yes` their rows may be deleted; a row of any other trader is still refused.
"""

from __future__ import annotations

from django.db import migrations

FUNCTIONS = """
CREATE OR REPLACE FUNCTION nof0_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%' AND
       current_setting('nof0.test_flush', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME NOT LIKE 'manager\\_config%' AND
       current_setting('nof0.removing_sample', true) = 'yes' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% of % refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION nof0_delete_sample_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    trader text := to_jsonb(OLD) ->> TG_ARGV[0];
BEGIN
    IF EXISTS (SELECT FROM trader_config WHERE id = trader AND created_by = 'sample') THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'DELETE of % refused: % is no sample', TG_TABLE_NAME, trader
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION nof0_delete_sample_prompt_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.path LIKE 'prompts/sample/%' AND NOT EXISTS (
        SELECT FROM trader_config_versions
         WHERE OLD.sha256 IN (detail #>> '{prompts,system_sha256}', detail #>> '{prompts,executor_sha256}')
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'DELETE of prompt_texts refused: % is in use or no sample', OLD.path
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION nof0_keep_created_by() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who created % is never changed', OLD.id USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
DROP_FUNCTIONS = """
DROP FUNCTION nof0_keep_created_by();
DROP FUNCTION nof0_delete_sample_prompt_only();
DROP FUNCTION nof0_delete_sample_only();

CREATE OR REPLACE FUNCTION nof0_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_database() LIKE 'test\\_%' AND
       current_setting('nof0.test_flush', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% of % refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""

TRADER_COLUMN = {
    "trader_config": "id",
    "trader_config_versions": "id",
    "positions": "trader_id",
    "trades": "trader_id",
    "decision_journal": "trader_id",
    "conversation_messages": "trader_id",
}
TRIGGERS = (
    "".join(
        f"""
CREATE TRIGGER {table}_sample_only BEFORE DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION nof0_delete_sample_only('{column}');
"""
        for table, column in TRADER_COLUMN.items()
    )
    + """
CREATE TRIGGER prompt_texts_sample_only BEFORE DELETE ON prompt_texts
    FOR EACH ROW EXECUTE FUNCTION nof0_delete_sample_prompt_only();
CREATE TRIGGER trader_config_created_by BEFORE UPDATE ON trader_config
    FOR EACH ROW WHEN (OLD.created_by IS DISTINCT FROM NEW.created_by) EXECUTE FUNCTION nof0_keep_created_by();
"""
)
DROP_TRIGGERS = """
DROP TRIGGER trader_config_created_by ON trader_config;
DROP TRIGGER prompt_texts_sample_only ON prompt_texts;
""" + "".join(f"DROP TRIGGER {table}_sample_only ON {table};" for table in TRADER_COLUMN)


class Migration(migrations.Migration):
    dependencies = [("trading", "0002_rules")]

    operations = [
        migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS),
        migrations.RunSQL(TRIGGERS, DROP_TRIGGERS),
    ]
