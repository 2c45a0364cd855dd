"""Ids, digests and paths are compared, never searched by prefix, and no index is the beginning of another one: a change
of configurations, a report and a cooldown write fewer of them."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from migrations.dropped_indexes import dropped

# Django makes one beside the primary key of every text.
FOR_PREFIXES = {
    "trader_config_id_c0a5f88c_like": "trader_config (id text_pattern_ops)",
    "trader_runtime_state_trader_id_83f1306f_like": "trader_runtime_state (trader_id text_pattern_ops)",
    "trader_symbol_cooldowns_trader_id_524b2795_like": "trader_symbol_cooldowns (trader_id text_pattern_ops)",
    "yaml_base_trader_id_d482b2f5_like": "yaml_base (trader_id text_pattern_ops)",
    "prompt_texts_sha256_3a3bc5bc_like": "prompt_texts (sha256 text_pattern_ops)",
    "setting_risks_path_5839356d_like": "setting_risks (path text_pattern_ops)",
    "account_sessions_session_key_688458bc_like": "account_sessions (session_key varchar_pattern_ops)",
}
# Of idx_trader_config_versions_set, and of the primary key of cooldowns.
BEGINNINGS = {
    "trader_config_versions_change_set_5e7c0507": "trader_config_versions (change_set)",
    "trader_symbol_cooldowns_trader_id_524b2795": "trader_symbol_cooldowns (trader_id)",
}


class Migration(migrations.Migration):
    dependencies = [("traders", "0028_symbols_that_can_be_seen")]

    operations = [
        # As fields they would make the foreign key of cooldowns again.
        migrations.SeparateDatabaseAndState(
            database_operations=[dropped(FOR_PREFIXES), dropped(BEGINNINGS)],
            state_operations=[
                migrations.AlterField("traderconfigversion", "change_set", models.BigIntegerField()),
                migrations.AlterField(
                    "tradersymbolcooldown",
                    "trader",
                    models.ForeignKey(
                        "traders.traderconfig",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cooldowns",
                        db_index=False,
                    ),
                ),
            ],
        )
    ]
