"""Indexes of the past and of large change sets.

Each trader's last version at or before a moment is one step of the first. The second counts a change set and names
its first traders without reading the configurations themselves.
"""

from __future__ import annotations

from django.db import migrations

INDEXES = """
CREATE INDEX idx_trader_config_versions_as_of ON trader_config_versions (id, history_date DESC);
CREATE INDEX idx_trader_config_versions_set ON trader_config_versions (change_set, id) INCLUDE (version, history_date);
"""

DROP_INDEXES = """
DROP INDEX idx_trader_config_versions_set;
DROP INDEX idx_trader_config_versions_as_of;
"""


class Migration(migrations.Migration):
    dependencies = [("traders", "0006_change_log")]

    operations = [migrations.RunSQL(INDEXES, DROP_INDEXES)]
