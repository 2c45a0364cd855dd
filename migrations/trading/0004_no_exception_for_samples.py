"""Nothing is an exception to append-only any more but the tests' flush, and sample traders are retired.

The sample fleet has moved to the demo's own database. What an older release put into this one stays, as everything
does: each sample trader is retired by a version that says why, and the log names it.

A sample trader is one whose first version the generator wrote: `source` and `created_by` are both 'sample' there, and
its prompt lies under prompts/sample/. `created_by` alone could be an account called sample, and its traders are real;
no page, command or API ever wrote 'sample' as a source.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import migrations

logger = logging.getLogger(__name__)

TRADER_COLUMN = {
    "trader_config": "id",
    "trader_config_versions": "id",
    "positions": "trader_id",
    "trades": "trader_id",
    "decision_journal": "trader_id",
    "conversation_messages": "trader_id",
}

DROP_EXCEPTION = (
    "DROP TRIGGER prompt_texts_sample_only ON prompt_texts;"
    + "".join(f"DROP TRIGGER {table}_sample_only ON {table};" for table in TRADER_COLUMN)
    + """
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
)

# As 0003 left it: a step back ends where the step forward began.
EXCEPTION = (
    """
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
"""
    + "".join(
        f"""
CREATE TRIGGER {table}_sample_only BEFORE DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION nof0_delete_sample_only('{column}');
"""
        for table, column in TRADER_COLUMN.items()
    )
    + """
CREATE TRIGGER prompt_texts_sample_only BEFORE DELETE ON prompt_texts
    FOR EACH ROW EXECUTE FUNCTION nof0_delete_sample_prompt_only();
"""
)

SAMPLE_TRADERS = """
SELECT c.id, c.version, v.detail ->> 'display_name'
  FROM trader_config c
  JOIN trader_config_versions v ON v.id = c.id AND v.version = 1
 WHERE c.created_by = 'sample' AND v.source = 'sample' AND v.history_user_id = 'sample'
   AND v.detail #>> '{prompts,system_template}' LIKE 'prompts/sample/%'
   AND c.detail -> 'retired' IS DISTINCT FROM 'true'::jsonb
 ORDER BY c.id
"""
# The order of locks of every change: the fleet's settings, or their key where there are none yet, then the traders.
LOCK = """
SELECT pg_advisory_xact_lock(hashtext('nof0.fleet')) WHERE NOT EXISTS (SELECT FROM manager_config);
SELECT 1 FROM manager_config FOR UPDATE;
SELECT 1 FROM trader_config WHERE created_by = 'sample' ORDER BY id FOR UPDATE;
"""
RETIRE = """
WITH written AS (
    UPDATE trader_config c
       SET version = version + 1, detail = jsonb_set(detail, '{retired}', 'true'),
           updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
     WHERE id = ANY (%(ids)s)
    RETURNING c.*
)
INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,
    created_at, updated_at, created_by, changed_fields, change_set, source,
    history_date, history_change_reason, history_type, history_user_id)
SELECT id, version, exchange_provider, market_provider, allocation_pct, detail, created_at, updated_at, created_by,
       '{detail.retired}', %(change_set)s, 'migration', updated_at,
       'Sample data: the sample fleet has moved to the demo, so this trader is retired', '~', 'system'
  FROM written ORDER BY id
"""


def retire_samples(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(LOCK)
        cursor.execute(SAMPLE_TRADERS)
        found = cursor.fetchall()
        if not found:
            return
        cursor.execute("SELECT nextval('config_change_set_seq')")
        [change_set] = cursor.fetchone()
        cursor.execute(RETIRE, {"ids": [trader_id for trader_id, *_ in found], "change_set": change_set})
        cursor.execute(
            "SELECT pg_notify('trader_config_changed', jsonb_build_object('change_set', %s::bigint)::text)",
            [change_set],
        )
        # Checked here and now: a later migration of the same run may change the tables.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for trader_id, version, name in found:
        logger.warning(
            "Retired the sample trader %s (%s) as version %d. Its history and trades stay; "
            "the page of the trader brings it back.",
            trader_id,
            name,
            version + 1,
        )


class Migration(migrations.Migration):
    dependencies = [("trading", "0003_removable_sample")]

    operations = [
        # The tables change before their rows do: a table with rows yet to be checked cannot be changed.
        migrations.RunSQL(DROP_EXCEPTION, EXCEPTION),
        migrations.RunPython(retire_samples, migrations.RunPython.noop),
    ]
