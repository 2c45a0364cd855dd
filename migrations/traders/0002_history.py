"""History as the outside reads it: one row a version, refusing change; the views with the contract's columns."""

from __future__ import annotations

from django.db import migrations

CONSTRAINTS = """
CREATE SEQUENCE config_change_set_seq AS bigint;

ALTER TABLE trader_config_versions
    ADD CONSTRAINT trader_config_versions_trader_version UNIQUE (id, version),
    ADD CONSTRAINT trader_config_versions_trader_fk FOREIGN KEY (id) REFERENCES trader_config (id)
        DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT trader_config_versions_has_reason CHECK (history_change_reason <> ''),
    ADD CONSTRAINT trader_config_versions_has_actor CHECK (history_user_id <> '');

ALTER TABLE manager_config_versions
    ADD CONSTRAINT manager_config_versions_version UNIQUE (id, version),
    ADD CONSTRAINT manager_config_versions_manager_fk FOREIGN KEY (id) REFERENCES manager_config (id)
        DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT manager_config_versions_has_reason CHECK (history_change_reason <> ''),
    ADD CONSTRAINT manager_config_versions_has_actor CHECK (history_user_id <> '');

ALTER TABLE prompt_texts
    ADD CONSTRAINT prompt_texts_sha256_of_body CHECK (sha256 = encode(sha256(convert_to(body, 'UTF8')), 'hex'));
"""

DROP_CONSTRAINTS = """
ALTER TABLE prompt_texts DROP CONSTRAINT prompt_texts_sha256_of_body;
ALTER TABLE manager_config_versions
    DROP CONSTRAINT manager_config_versions_has_actor,
    DROP CONSTRAINT manager_config_versions_has_reason,
    DROP CONSTRAINT manager_config_versions_manager_fk,
    DROP CONSTRAINT manager_config_versions_version;
ALTER TABLE trader_config_versions
    DROP CONSTRAINT trader_config_versions_has_actor,
    DROP CONSTRAINT trader_config_versions_has_reason,
    DROP CONSTRAINT trader_config_versions_trader_fk,
    DROP CONSTRAINT trader_config_versions_trader_version;
DROP SEQUENCE config_change_set_seq;
"""

# Versions that lie in the tables from before a step back keep their numbers: the sequence goes on behind them.
FILL_SEQUENCE = """
SELECT setval('config_change_set_seq', newest) FROM (
    SELECT greatest((SELECT max(change_set) FROM trader_config_versions),
                    (SELECT max(change_set) FROM manager_config_versions)) AS newest) AS stored
 WHERE newest > 0;
"""

VIEWS = """
CREATE VIEW trader_config_history AS
SELECT history_id AS id,
       id AS trader_id,
       version,
       jsonb_build_object(
           'id', id, 'version', version, 'exchange_provider', exchange_provider,
           'market_provider', market_provider, 'allocation_pct', allocation_pct, 'detail', detail
       ) AS config_snapshot,
       changed_fields,
       history_change_reason AS change_reason,
       history_user_id AS changed_by,
       history_date AS changed_at
  FROM trader_config_versions;

CREATE VIEW manager_config_history AS
SELECT history_id AS id,
       version,
       jsonb_build_object('version', version, 'detail', detail) AS config_snapshot,
       changed_fields,
       history_change_reason AS change_reason,
       history_user_id AS changed_by,
       history_date AS changed_at
  FROM manager_config_versions;
"""

DROP_VIEWS = """
DROP VIEW manager_config_history;
DROP VIEW trader_config_history;
"""


class Migration(migrations.Migration):
    dependencies = [("traders", "0001_tables")]

    operations = [
        migrations.RunSQL(CONSTRAINTS, DROP_CONSTRAINTS),
        migrations.RunSQL(FILL_SEQUENCE, migrations.RunSQL.noop),
        migrations.RunSQL(VIEWS, DROP_VIEWS),
    ]
