"""The order in which versions are read since a cursor is that of their commits, for every writer.

Numbers of change sets are taken before the commit, so a set may be committed after a later one, and a reader that has
passed the later one would never see it. A position is given at the commit itself, one transaction at a time: what is
committed later has the higher position. Nothing waits for a transaction that is still open.
"""

from __future__ import annotations

from django.db import migrations, models

# A row of config_writes is a transaction that wrote versions. One without position is the transaction's own, still
# open: no other transaction can see it.
NOTE = """
CREATE SEQUENCE config_position_seq AS bigint;

CREATE FUNCTION nof0_note_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    own bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM added) THEN
        RETURN NULL;
    END IF;
    SELECT id INTO own FROM config_writes WHERE position IS NULL;
    IF NOT FOUND THEN
        INSERT INTO config_writes (change_set) SELECT max(change_set) FROM added RETURNING id INTO own;
    END IF;
    INSERT INTO config_write_versions (write_id, config_id, version)
    SELECT own, CASE TG_TABLE_NAME WHEN 'manager_config_versions' THEN '@manager' ELSE id::text END, version
      FROM added;
    -- Told at the commit, and PostgreSQL tells the same thing once however often a transaction says it.
    PERFORM pg_notify('trader_config_changed', format('{"change_set":%s}', change_set))
       FROM (SELECT DISTINCT change_set FROM added) AS told;
    RETURN NULL;
END $$;

CREATE TRIGGER trader_config_versions_note_write AFTER INSERT ON trader_config_versions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION nof0_note_write();
CREATE TRIGGER manager_config_versions_note_write AFTER INSERT ON manager_config_versions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION nof0_note_write();
"""

DROP_NOTE = """
DROP TRIGGER manager_config_versions_note_write ON manager_config_versions;
DROP TRIGGER trader_config_versions_note_write ON trader_config_versions;
DROP FUNCTION nof0_note_write();
DROP SEQUENCE config_position_seq;
"""

# The lock is held from here to the end of the commit, so it must be the last that a transaction takes: others wait for
# it while they hold the fleet's row. The first trigger only puts the second behind all that is checked at the commit.
# A sequence, not max(position): a transaction that reads an old snapshot would not see the last position. Where the
# number of the change set is higher the position rises to it: a cursor then reads as the number of the set.
POSITION = """
CREATE FUNCTION nof0_place_write_last() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE config_writes SET position = NULL WHERE id = NEW.id;
    RETURN NULL;
END $$;

CREATE FUNCTION nof0_place_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    place bigint;
    holder int;
BEGIN
    IF current_setting('lock_timeout') = '0' THEN
        PERFORM set_config('lock_timeout', '20s', true);
    END IF;
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('nof0.config_position'));
    EXCEPTION WHEN lock_not_available THEN
        SELECT pid INTO holder FROM pg_locks
         WHERE locktype = 'advisory' AND granted AND objsubid = 1
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND (classid::bigint << 32) | objid::bigint = hashtext('nof0.config_position')::bigint;
        RAISE EXCEPTION 'another transaction (process %) wrote configurations, ran SET CONSTRAINTS IMMEDIATE and has'
            ' not ended: nothing was written here', coalesce(holder::text, 'ended by now')
            USING ERRCODE = 'lock_not_available', HINT = 'End that transaction, then try again.';
    END;
    place := nextval('config_position_seq');
    IF NEW.change_set > place AND NEW.change_set <= (SELECT last_value FROM config_change_set_seq) THEN
        PERFORM setval('config_position_seq', NEW.change_set);
        place := NEW.change_set;
    END IF;
    UPDATE config_writes SET position = place WHERE id = NEW.id;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER config_writes_place_last AFTER INSERT ON config_writes
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nof0_place_write_last();
CREATE CONSTRAINT TRIGGER config_writes_place AFTER UPDATE ON config_writes
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.position IS NULL) EXECUTE FUNCTION nof0_place_write();

CREATE TRIGGER config_writes_placed_once BEFORE UPDATE ON config_writes
    FOR EACH ROW WHEN (OLD.position IS NOT NULL)
    EXECUTE FUNCTION nof0_refuse_change('what was written stays as it is');
CREATE TRIGGER config_writes_never_deleted BEFORE DELETE OR TRUNCATE ON config_writes
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('what was written stays as it is');
CREATE TRIGGER config_write_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON config_write_versions
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('what was written stays as it is');
"""

DROP_POSITION = """
DROP TRIGGER config_write_versions_append_only ON config_write_versions;
DROP TRIGGER config_writes_never_deleted ON config_writes;
DROP TRIGGER config_writes_placed_once ON config_writes;
DROP TRIGGER config_writes_place ON config_writes;
DROP TRIGGER config_writes_place_last ON config_writes;
DROP FUNCTION nof0_place_write();
DROP FUNCTION nof0_place_write_last();
"""

# Cursors that clients hold are numbers of change sets: these keep their numbers as positions. A number that no cursor
# can hold comes behind all others.
FILL = """
CREATE TEMPORARY TABLE stored_versions ON COMMIT DROP AS
SELECT change_set, id AS config_id, version, change_set BETWEEN 1 AND 1000000000000000 AS keeps_number
  FROM trader_config_versions
UNION ALL
SELECT change_set, '@manager', version, change_set BETWEEN 1 AND 1000000000000000 FROM manager_config_versions;

INSERT INTO config_writes (id, change_set, position)
SELECT DISTINCT change_set, change_set, change_set FROM stored_versions WHERE keeps_number;
INSERT INTO config_writes (id, change_set, position)
SELECT newest + 1, newest + 1, newest + 1 FROM (SELECT coalesce(max(id), 0) AS newest FROM config_writes) AS w
 WHERE EXISTS (SELECT FROM stored_versions WHERE NOT keeps_number);
INSERT INTO config_write_versions (write_id, config_id, version)
SELECT CASE WHEN keeps_number THEN change_set ELSE (SELECT max(id) FROM config_writes) END, config_id, version
  FROM stored_versions;

SELECT setval(pg_get_serial_sequence('config_writes', 'id'), newest), setval('config_position_seq', newest)
  FROM (SELECT max(id) AS newest FROM config_writes) AS w WHERE newest IS NOT NULL;
DROP TABLE stored_versions;
"""


class Migration(migrations.Migration):
    dependencies = [("traders", "0011_token_reach")]

    operations = [
        migrations.CreateModel(
            name="ConfigWrite",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("change_set", models.BigIntegerField()),
                ("position", models.BigIntegerField(blank=True, null=True, unique=True)),
            ],
            options={
                "verbose_name": "transaction that wrote versions",
                "verbose_name_plural": "transactions that wrote versions",
                "db_table": "config_writes",
                "indexes": [
                    models.Index(
                        fields=["id"], condition=models.Q(("position__isnull", True)), name="idx_config_writes_open"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ConfigWriteVersion",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "write_id",
                        "config_id",
                        "version",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("write_id", models.BigIntegerField()),
                ("config_id", models.TextField(db_collation="C")),
                ("version", models.IntegerField()),
            ],
            options={
                "verbose_name": "version of a transaction",
                "verbose_name_plural": "versions of transactions",
                "db_table": "config_write_versions",
            },
        ),
        migrations.RunSQL(NOTE, DROP_NOTE),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(POSITION, DROP_POSITION),
    ]
