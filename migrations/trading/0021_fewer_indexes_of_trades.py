"""One index of a trader's trades instead of two, and a smaller one of their times: about 125 bytes less a trade."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0020_manager_tables"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="trade",
            name="idx_trades_trader_time",
        ),
        migrations.RemoveIndex(
            model_name="trade",
            name="idx_trades_time",
        ),
        migrations.RemoveIndex(
            model_name="trade",
            name="idx_trades_recent_covering",
        ),
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(
                models.F("trader"),
                models.OrderBy(models.F("close_ts_ms"), descending=True),
                include=("symbol", "side", "net_pnl", "confidence", "leverage", "quantity", "exclusion"),
                name="idx_trades_recent_covering",
            ),
        ),
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(fields=["-close_ts_ms"], name="idx_trades_time"),
        ),
    ]
