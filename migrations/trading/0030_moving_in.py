"""What was moved in from the database of an earlier program, its prices, and the available balance of equity."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import django.contrib.postgres.fields
import django.core.serializers.json
import django.db.models.functions.datetime
from django.db import migrations, models

import trading.fields


def _floats(*, null: bool) -> Any:
    return django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(null=null), size=None)


class Migration(migrations.Migration):
    dependencies = [("trading", "0029_sums_from_indexes")]

    operations = [
        migrations.AddField(
            model_name="equitysnapshot",
            name="available_usd",
            field=trading.fields.NumericField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="equitysnapshot",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("exclusion__isnull", False),
                    models.Q(
                        ("available_usd__gte", Decimal("-1000000000000000")),
                        ("available_usd__lte", Decimal("1000000000000000")),
                    ),
                    _connector="OR",
                ),
                name="equity_snapshots_available_usd_is_a_number",
            ),
        ),
        migrations.CreateModel(
            name="MoveIn",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("actor", models.TextField()),
                ("source", models.TextField()),
                ("generation", models.TextField()),
                ("refused", models.IntegerField()),
                ("report", models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ("rejects", models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder)),
            ],
            options={
                "verbose_name": "move",
                "verbose_name_plural": "moving in",
                "db_table": "move_ins",
                "default_permissions": ("view",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("actor", ""), _negated=True), name="move_ins_actor_given"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="move_ins_at_is_a_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PriceHistory",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "provider",
                        "symbol",
                        "interval",
                        "day",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("provider", models.TextField()),
                ("symbol", models.TextField()),
                ("interval", models.TextField()),
                ("day", models.DateField()),
                (
                    "moments_ms",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                ("prices", _floats(null=False)),
                ("volumes", _floats(null=True)),
                ("opens", _floats(null=True)),
                ("highs", _floats(null=True)),
                ("lows", _floats(null=True)),
            ],
            options={
                "verbose_name": "price history",
                "verbose_name_plural": "price history",
                "db_table": "price_history",
                "default_permissions": ("view",),
            },
        ),
    ]
