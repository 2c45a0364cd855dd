"""The tables of the manager: the cycle each trader is in, and the orders it sent."""

from __future__ import annotations

import datetime
from decimal import Decimal

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import traders.schema.jsonio
import trading.fields


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0019_suspect_equity"),
    ]

    operations = [
        migrations.CreateModel(
            name="ManagerCycle",
            fields=[
                (
                    "trader",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="manager_cycle",
                        serialize=False,
                        to="traders.traderconfig",
                    ),
                ),
                ("number", models.IntegerField()),
                ("config_version", models.IntegerField()),
                ("state", models.TextField()),
                ("opened_at", models.DateTimeField()),
                (
                    "detail",
                    models.JSONField(
                        decoder=traders.schema.jsonio.ExactDecoder, encoder=traders.schema.jsonio.ExactEncoder
                    ),
                ),
            ],
            options={
                "db_table": "manager_cycles",
                "default_permissions": ("view",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["asked", "answered", "done"])), name="manager_cycles_state"
                    ),
                    models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="manager_cycles_number_from_1"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("opened_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("opened_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="manager_cycles_opened_at_is_a_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ManagerOrder",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "trader_id", "client_order_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("client_order_id", models.TextField()),
                ("cycle", models.IntegerField()),
                ("symbol", models.TextField()),
                ("action", models.TextField()),
                ("kind", models.TextField()),
                ("side", models.TextField()),
                ("style", models.TextField()),
                ("quantity", trading.fields.NumericField()),
                ("leverage", trading.fields.NumericField()),
                ("slippage_bps", trading.fields.NumericField()),
                ("limit_price", trading.fields.NumericField(blank=True, null=True)),
                ("trigger_price", trading.fields.NumericField(blank=True, null=True)),
                ("state", models.TextField()),
                ("reason", models.TextField(db_default="")),
                ("fill_price", trading.fields.NumericField(blank=True, null=True)),
                ("fill_quantity", trading.fields.NumericField(blank=True, null=True)),
                ("commission", trading.fields.NumericField(blank=True, null=True)),
                ("filled_at", models.DateTimeField(blank=True, null=True)),
                ("is_liquidation", models.BooleanField(db_default=False)),
                ("is_recorded", models.BooleanField(db_default=False)),
                ("sent_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "trader",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="manager_orders",
                        to="traders.traderconfig",
                    ),
                ),
            ],
            options={
                "db_table": "manager_orders",
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_recorded", False)),
                        fields=["trader", "symbol"],
                        name="idx_manager_orders_moving",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["entry", "exit", "stop", "target"])),
                        name="manager_orders_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["sent", "resting", "filled", "cancelled", "refused"])),
                        name="manager_orders_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("side__in", ["long", "short"])), name="manager_orders_side"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("client_order_id__regex", "^[0-9a-f]{32}$")),
                        name="manager_orders_client_order_id",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "filled"), _negated=True),
                            models.Q(
                                ("commission__isnull", False),
                                ("fill_price__isnull", False),
                                ("fill_quantity__isnull", False),
                                ("filled_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="manager_orders_fill_is_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["entry", "exit"]), ("trigger_price__isnull", False), _connector="OR"
                        ),
                        name="manager_orders_trigger_of_what_rests",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("sent_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("sent_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="manager_orders_sent_at_is_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("filled_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("filled_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="manager_orders_filled_at_is_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gte", 0), ("quantity__lte", Decimal("1000000000000000"))),
                        name="manager_orders_quantity_is_a_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("leverage__gte", 0), ("leverage__lte", Decimal("1000000000000000"))),
                        name="manager_orders_leverage_is_a_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("slippage_bps__gte", 0), ("slippage_bps__lte", Decimal("1000000000000000"))
                        ),
                        name="manager_orders_slippage_bps_is_a_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("limit_price__gte", 0), ("limit_price__lte", Decimal("1000000000000000"))),
                        name="manager_orders_limit_price_is_a_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("trigger_price__gte", 0), ("trigger_price__lte", Decimal("1000000000000000"))
                        ),
                        name="manager_orders_trigger_price_is_a_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("fill_price__gte", 0), ("fill_price__lte", Decimal("1000000000000000"))),
                        name="manager_orders_fill_price_is_a_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("fill_quantity__gte", 0), ("fill_quantity__lte", Decimal("1000000000000000"))
                        ),
                        name="manager_orders_fill_quantity_is_a_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("commission__gte", Decimal("-1000000000000000")),
                            ("commission__lte", Decimal("1000000000000000")),
                        ),
                        name="manager_orders_commission_is_a_number",
                    ),
                ],
            },
        ),
    ]
