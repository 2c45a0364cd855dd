"""A small index of the trades whose P&L is without funding that was due."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0027_saved_filters"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(
                condition=models.Q(("detail__pnl__is_funding_unknown", True), ("exclusion__isnull", True)),
                fields=["trader", "close_ts_ms"],
                name="idx_trades_funding_unknown",
            ),
        ),
    ]
