"""Sums of lists from indexes alone, and tables whose new rows indexes can answer for soon.

An index answers alone for rows of pages that a vacuum has seen. By default one comes after a fifth of the table is new:
the newest rows, which lists sum, would never be seen. A vacuum after new rows passes over the pages seen before.
"""

from django.db import migrations, models

TABLES = ("trades", "decision_journal", "equity_snapshots")
SET = "ALTER TABLE {table} SET (autovacuum_vacuum_insert_scale_factor = 0.01)"
RESET = "ALTER TABLE {table} RESET (autovacuum_vacuum_insert_scale_factor)"


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0028_funding_that_is_not_known"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="decisionjournal",
            name="idx_journal_did",
        ),
        migrations.RemoveIndex(
            model_name="position",
            name="idx_positions_opened",
        ),
        migrations.RemoveIndex(
            model_name="trade",
            name="idx_trades_symbol_time",
        ),
        migrations.AddIndex(
            model_name="decisionjournal",
            index=models.Index(
                fields=["decided_at", "trader"],
                include=("success", "prompt_tokens", "completion_tokens", "cost_usd", "exclusion"),
                condition=models.Q(("has_order", True), ("has_refusal", True), ("success", False), _connector="OR"),
                name="idx_journal_did",
            ),
        ),
        migrations.AddIndex(
            model_name="position",
            index=models.Index(
                fields=["-opened_ms", "id"],
                include=("status", "closed_pnl", "exclusion"),
                name="idx_positions_opened",
            ),
        ),
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(
                fields=["symbol", "close_ts_ms"],
                include=("net_pnl", "exclusion"),
                name="idx_trades_symbol_time",
            ),
        ),
        *(migrations.RunSQL(SET.format(table=table), RESET.format(table=table)) for table in TABLES),
    ]
