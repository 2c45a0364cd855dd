"""Ascending indexes of the times of trades, which come in that order: descending ones filled half of their pages."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0023_differences_with_exchanges"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="trade",
            name="idx_trades_symbol_time",
        ),
        migrations.RemoveIndex(
            model_name="trade",
            name="idx_trades_recent_covering",
        ),
        migrations.RemoveIndex(
            model_name="trade",
            name="idx_trades_time",
        ),
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(
                fields=["trader", "close_ts_ms"],
                include=("symbol", "side", "net_pnl", "confidence", "leverage", "quantity", "exclusion"),
                name="idx_trades_recent_covering",
            ),
        ),
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(fields=["close_ts_ms"], name="idx_trades_time"),
        ),
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(fields=["symbol", "close_ts_ms"], name="idx_trades_symbol_time"),
        ),
    ]
