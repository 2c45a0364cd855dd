"""Money moved into and out of traders' accounts."""

from __future__ import annotations

from decimal import Decimal

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import trading.fields

APPEND_ONLY = """
CREATE TRIGGER equity_transfers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON equity_transfers
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('a wrong transfer is taken back by a correction');
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0010_events_are_added")]

    operations = [
        migrations.CreateModel(
            name="EquityTransfer",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("transfer_id", models.TextField()),
                ("ts_ms", models.BigIntegerField()),
                ("amount_usd", trading.fields.NumericField()),
                ("kind", models.TextField()),
                ("reason", models.TextField()),
                ("actor", models.TextField()),
                ("account_id", models.BigIntegerField(blank=True, null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "trader",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers",
                        to="traders.traderconfig",
                    ),
                ),
            ],
            options={
                "verbose_name": "transfer",
                "verbose_name_plural": "transfers",
                "db_table": "equity_transfers",
                "default_permissions": ("view", "add"),
                "indexes": [models.Index(fields=["trader", "ts_ms"], name="idx_transfers_trader_time")],
                "constraints": [
                    models.UniqueConstraint(fields=("trader", "transfer_id"), name="transfers_one_an_id"),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "initial")),
                        fields=("trader",),
                        name="transfers_one_initial_a_trader",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount_usd__gt", 0), ("kind__in", ["initial", "deposit"])),
                            models.Q(("amount_usd__lt", 0), ("kind", "withdrawal")),
                            models.Q(
                                ("kind__in", ["internal", "correction"]), models.Q(("amount_usd", 0), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="transfers_kind_and_sign",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="transfers_reason_given"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("actor", ""), _negated=True), name="transfers_actor_given"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ts_ms__gte", 1262304000000), ("ts_ms__lte", 4102444800000)),
                        name="equity_transfers_ts_ms_in_milliseconds",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_usd__gte", Decimal("-1000000000000000")),
                            ("amount_usd__lte", Decimal("1000000000000000")),
                        ),
                        name="equity_transfers_amount_usd_is_a_number",
                    ),
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP TRIGGER equity_transfers_append_only ON equity_transfers;"),
    ]
