"""Config and history never part: versions rise by one and in time, and each config row has its version."""

from __future__ import annotations

from django.db import migrations

RISING = """
CREATE FUNCTION nof0_versions_rise() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    EXECUTE format(
        'SELECT a.id::text AS id, a.version, p.version AS previous
           FROM added a
           LEFT JOIN LATERAL (SELECT v.version, v.history_date FROM %1$I v
                               WHERE v.id = a.id AND v.version < a.version
                               ORDER BY v.version DESC LIMIT 1) p ON true
          WHERE a.version <> coalesce(p.version, 0) + 1 OR a.history_date <= p.history_date
          LIMIT 1', TG_TABLE_NAME) INTO bad;
    IF bad.version IS NOT NULL THEN
        RAISE EXCEPTION '%: version % of % must follow version % by one and be later',
            TG_TABLE_NAME, bad.version, bad.id, coalesce(bad.previous, 0)
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER trader_config_versions_rise AFTER INSERT ON trader_config_versions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION nof0_versions_rise();
CREATE TRIGGER manager_config_versions_rise AFTER INSERT ON manager_config_versions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION nof0_versions_rise();
"""

DROP_RISING = """
DROP TRIGGER manager_config_versions_rise ON manager_config_versions;
DROP TRIGGER trader_config_versions_rise ON trader_config_versions;
DROP FUNCTION nof0_versions_rise();
"""

# Deferred, so that a program may write the two rows in either order: the config row stands at its last version
# with the same content, and no version is ahead of its config row. Two lookups by key, not a join: a plan made
# while the statistics still say "empty" would read the whole history for every row.
_MATCHING_OF = """
CREATE FUNCTION nof0_{table}_matches() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    c {table}%ROWTYPE;
    v {table}_versions%ROWTYPE;
BEGIN
    SELECT * INTO c FROM {table} WHERE id = NEW.id;
    SELECT * INTO v FROM {table}_versions WHERE id = NEW.id ORDER BY version DESC LIMIT 1;
    IF v.version IS DISTINCT FROM c.version OR {different} THEN
        RAISE EXCEPTION '{table} %: the last row of {table}_versions does not match it', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION nof0_{table}_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM {table} WHERE id = NEW.id AND version >= NEW.version;
    IF NOT FOUND THEN
        RAISE EXCEPTION '{table}_versions %: version % is ahead of {table}', NEW.id, NEW.version
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER {table}_has_version AFTER INSERT OR UPDATE ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nof0_{table}_matches();
CREATE CONSTRAINT TRIGGER {table}_versions_has_config AFTER INSERT ON {table}_versions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nof0_{table}_follows();
"""

_DROP_MATCHING_OF = """
DROP TRIGGER {table}_versions_has_config ON {table}_versions;
DROP TRIGGER {table}_has_version ON {table};
DROP FUNCTION nof0_{table}_follows();
DROP FUNCTION nof0_{table}_matches();
"""

DIFFERENT = {
    "trader_config": "(v.exchange_provider, v.market_provider, v.allocation_pct, v.detail)"
    " IS DISTINCT FROM (c.exchange_provider, c.market_provider, c.allocation_pct, c.detail)",
    "manager_config": "v.detail IS DISTINCT FROM c.detail",
}
MATCHING = "".join(_MATCHING_OF.format(table=table, different=different) for table, different in DIFFERENT.items())
DROP_MATCHING = "".join(_DROP_MATCHING_OF.format(table=table) for table in DIFFERENT)


class Migration(migrations.Migration):
    dependencies = [("traders", "0003_append_only")]

    operations = [
        migrations.RunSQL(RISING, DROP_RISING),
        migrations.RunSQL(MATCHING, DROP_MATCHING),
    ]
