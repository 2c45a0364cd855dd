"""Indexes of the change log: "when did leverage change?", "what did mei change?", by source."""

from __future__ import annotations

from django.db import migrations

INDEXES = """
-- changed_fields && ARRAY[paths]
CREATE INDEX idx_trader_config_versions_paths ON trader_config_versions USING gin (changed_fields);
-- history_user_id = actor, source = x: newest first; and their distinct values by a loose scan
CREATE INDEX idx_trader_config_versions_actor ON trader_config_versions (history_user_id, change_set DESC);
CREATE INDEX idx_trader_config_versions_source ON trader_config_versions (source, change_set DESC);
"""

DROP_INDEXES = """
DROP INDEX idx_trader_config_versions_source;
DROP INDEX idx_trader_config_versions_actor;
DROP INDEX idx_trader_config_versions_paths;
"""


class Migration(migrations.Migration):
    dependencies = [("traders", "0005_fleet_rules")]

    operations = [migrations.RunSQL(INDEXES, DROP_INDEXES)]
