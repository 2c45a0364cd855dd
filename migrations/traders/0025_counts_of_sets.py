"""How many configurations each change set changed at each setting, and in how many of them it raised risk.

The change log says so of sets of ten thousand traders, and "raises risk" is one of its filters. The database counts as the
versions are written, so that versions of programs writing SQL are counted as well. Which direction of a setting raises
risk is declared in the code: every migrate copies the declarations to `setting_risks`.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from traders.versions.changelog.writer import write_setting_risks

# As `Setting.raises_risk`. A value of another type than declared raises nothing: a foreign shape refuses no version.
RAISES_RISK = """
CREATE FUNCTION nof0_raises_risk(riskier text, off_at_zero boolean, old jsonb, new jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(CASE
        WHEN old = new THEN false
        WHEN riskier = 'wider' THEN jsonb_typeof(old) = 'array' AND jsonb_typeof(new) = 'array'
            AND old <> '[]' AND (new = '[]' OR NOT new <@ old)
        WHEN riskier IN ('on', 'off') THEN jsonb_typeof(old) = 'boolean' AND new = to_jsonb(riskier = 'on')
        WHEN jsonb_typeof(old) <> 'number' OR jsonb_typeof(new) <> 'number' THEN false
        WHEN off_at_zero AND (old = '0' OR new = '0') THEN new = '0'
        WHEN riskier = 'higher' THEN new > old
        WHEN riskier = 'lower' THEN new < old
    END, false)
$$;
"""
DROP_RAISES_RISK = "DROP FUNCTION nof0_raises_risk(text, boolean, jsonb, jsonb)"

_IN_DETAIL = "{row}.detail #> (string_to_array(c.path, '.'))[2:]"
_OF_TRADER = f"CASE c.path WHEN 'allocation_pct' THEN to_jsonb({{row}}.allocation_pct) ELSE {_IN_DETAIL} END"


def _counts(versions: str, table: str, value: str) -> str:
    """By path and change set, of these rows of a table of versions. What an older version lacks stood at its default.
    Only a value whose direction is declared is looked up in the version before."""
    return f"""
        SELECT c.path, a.change_set, count(*)::int AS configs,
               (count(*) FILTER (WHERE b.id IS NOT NULL AND nof0_raises_risk(
                   r.riskier, r.off_at_zero, coalesce({value.format(row="b")}, nullif(r.fallback, '')::jsonb),
                   {value.format(row="a")})))::int AS raising
          FROM {versions} a CROSS JOIN LATERAL unnest(a.changed_fields) AS c (path)
          LEFT JOIN setting_risks r ON r.path = c.path
          LEFT JOIN {table} b ON r.path IS NOT NULL AND b.id = a.id AND b.version = a.version - 1
         GROUP BY c.path, a.change_set
    """


TRADERS = ("trader_config_versions", _OF_TRADER)
FLEET = ("manager_config_versions", _IN_DETAIL)


def _note(name: str, table: str, value: str) -> str:
    return f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO config_change_set_paths AS p (path, change_set, configs, raising)
            {_counts("added", table, value)}
            ON CONFLICT (path, change_set) DO UPDATE
               SET configs = p.configs + EXCLUDED.configs, raising = p.raising + EXCLUDED.raising;
            RETURN NULL;
        END $$;
    """


# A change set may be written in several statements, so its counts grow; but only by the trigger that counts.
COUNT = f"""
DROP TRIGGER config_change_set_paths_append_only ON config_change_set_paths;
ALTER TABLE config_change_set_paths
    ADD COLUMN configs integer NOT NULL DEFAULT 0, ADD COLUMN raising integer NOT NULL DEFAULT 0;

UPDATE config_change_set_paths p SET configs = counted.configs, raising = counted.raising
  FROM (SELECT path, change_set, sum(configs) AS configs, sum(raising) AS raising
          FROM ({_counts(TRADERS[0], *TRADERS)} UNION ALL {_counts(FLEET[0], *FLEET)}) every
         GROUP BY path, change_set) counted
 WHERE p.path = counted.path AND p.change_set = counted.change_set;

CREATE INDEX idx_change_set_paths_set ON config_change_set_paths (change_set);
CREATE INDEX idx_change_set_paths_raising ON config_change_set_paths (change_set, path) WHERE raising > 0;

{_note("nof0_note_paths", *TRADERS)}
{_note("nof0_note_fleet_paths", *FLEET)}
DROP TRIGGER manager_config_versions_paths ON manager_config_versions;
CREATE TRIGGER manager_config_versions_paths AFTER INSERT ON manager_config_versions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION nof0_note_fleet_paths();

CREATE TRIGGER config_change_set_paths_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON config_change_set_paths
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION nof0_refuse_change('what was written stays as it is');
"""
FORGET_COUNTS = """
DROP TRIGGER config_change_set_paths_append_only ON config_change_set_paths;
DROP TRIGGER manager_config_versions_paths ON manager_config_versions;
DROP FUNCTION nof0_note_fleet_paths();
CREATE OR REPLACE FUNCTION nof0_note_paths() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO config_change_set_paths (path, change_set)
    SELECT DISTINCT unnest(changed_fields), change_set FROM added ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER manager_config_versions_paths AFTER INSERT ON manager_config_versions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION nof0_note_paths();
DROP INDEX idx_change_set_paths_set, idx_change_set_paths_raising;
ALTER TABLE config_change_set_paths DROP COLUMN configs, DROP COLUMN raising;
CREATE TRIGGER config_change_set_paths_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON config_change_set_paths
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('what was written stays as it is');
"""


def _copy_declarations(apps: Any, editor: Any) -> None:
    write_setting_risks(apps.get_model("traders", "SettingRisk").objects.using(editor.connection.alias))


class Migration(migrations.Migration):
    dependencies = [("traders", "0024_drafts")]

    operations = [
        migrations.CreateModel(
            name="SettingRisk",
            fields=[
                ("path", models.TextField(primary_key=True, serialize=False)),
                ("riskier", models.TextField()),
                ("off_at_zero", models.BooleanField()),
                ("fallback", models.TextField()),
            ],
            options={
                "verbose_name": "risk of a setting",
                "verbose_name_plural": "risks of settings",
                "db_table": "setting_risks",
                "default_permissions": (),
            },
        ),
        migrations.RunPython(_copy_declarations, migrations.RunPython.noop),
        migrations.RunSQL(RAISES_RISK, DROP_RAISES_RISK),
        migrations.RunSQL(COUNT, FORGET_COUNTS),
    ]
