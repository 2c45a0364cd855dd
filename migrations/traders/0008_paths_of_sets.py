"""Which settings each change set changed: "when did leverage change?" without looking at every version.

Derived from the versions and kept by the database as they are written, so that a program writing SQL directly is found
by the change log as well. A change set of ten thousand traders is a line for each setting here.
"""

from __future__ import annotations

from django.db import migrations

TABLE = """
CREATE TABLE config_change_set_paths (
    path text NOT NULL,
    change_set bigint NOT NULL,
    PRIMARY KEY (path, change_set)
);

INSERT INTO config_change_set_paths (path, change_set)
SELECT unnest(changed_fields), change_set FROM trader_config_versions
UNION SELECT unnest(changed_fields), change_set FROM manager_config_versions;

CREATE FUNCTION nof0_note_paths() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO config_change_set_paths (path, change_set)
    SELECT DISTINCT unnest(changed_fields), change_set FROM added ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER trader_config_versions_paths AFTER INSERT ON trader_config_versions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION nof0_note_paths();
CREATE TRIGGER manager_config_versions_paths AFTER INSERT ON manager_config_versions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION nof0_note_paths();

CREATE TRIGGER config_change_set_paths_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON config_change_set_paths
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('what was written stays as it is');
"""

DROP_TABLE = """
DROP TRIGGER manager_config_versions_paths ON manager_config_versions;
DROP TRIGGER trader_config_versions_paths ON trader_config_versions;
DROP FUNCTION nof0_note_paths();
DROP TABLE config_change_set_paths;
"""


class Migration(migrations.Migration):
    dependencies = [("traders", "0007_as_of")]

    operations = [migrations.RunSQL(TABLE, DROP_TABLE)]
