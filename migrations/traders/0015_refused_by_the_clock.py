"""Records that were refused since they lie ahead of the server's clock, counted by token."""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import migrations, models

from migrations.stored_rules import EARLIEST, LATEST


def _moment(column: str) -> models.CheckConstraint:
    holds = models.Q(**{f"{column}__gte": EARLIEST, f"{column}__lte": LATEST})
    return models.CheckConstraint(condition=holds, name=f"clock_refusals_{column}_is_a_moment")


class Migration(migrations.Migration):
    dependencies = [("traders", "0014_symbols_as_exchanges_write_them")]

    operations = [
        migrations.CreateModel(
            name="ClockRefusal",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "token_id",
                        "trader_id",
                        "what",
                        "symbol",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=models.deletion.CASCADE, related_name="+", db_index=False, to="traders.apitoken"
                    ),
                ),
                ("trader_id", models.TextField()),
                ("what", models.TextField()),
                ("symbol", models.TextField()),
                ("refused", models.BigIntegerField(db_default=1)),
                ("ahead_ms", models.BigIntegerField()),
                ("first_at", models.DateTimeField(db_default=TransactionNow())),
                ("last_at", models.DateTimeField(db_default=TransactionNow())),
            ],
            options={
                "verbose_name": "refused record",
                "verbose_name_plural": "refused records",
                "db_table": "clock_refusals",
                "constraints": [_moment("first_at"), _moment("last_at")],
            },
        ),
    ]
