"""What exchanges hold and the record does not, or otherwise, until a person settles it."""

from __future__ import annotations

import datetime

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import traders.schema.jsonio


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0022_marks_of_trades_can_be_read"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExchangeDifference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.TextField(verbose_name="kind")),
                ("subject", models.TextField(verbose_name="subject")),
                ("symbol", models.TextField(blank=True, null=True, verbose_name="symbol")),
                ("side", models.TextField(blank=True, null=True, verbose_name="side")),
                (
                    "detail",
                    models.JSONField(
                        decoder=traders.schema.jsonio.ExactDecoder, encoder=traders.schema.jsonio.ExactEncoder
                    ),
                ),
                ("reported_by", models.TextField(verbose_name="reported by")),
                (
                    "found_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="found"),
                ),
                (
                    "seen_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="last seen"
                    ),
                ),
                ("agreed_at", models.DateTimeField(blank=True, null=True)),
                ("settlement", models.TextField(blank=True, null=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("settled_by", models.TextField(blank=True, null=True)),
                ("account_id", models.BigIntegerField(blank=True, null=True)),
                ("reason", models.TextField(blank=True, null=True)),
                (
                    "trader",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exchange_differences",
                        to="traders.traderconfig",
                    ),
                ),
            ],
            options={
                "verbose_name": "difference with an exchange",
                "verbose_name_plural": "differences with exchanges",
                "db_table": "exchange_differences",
                "permissions": [("settle_exchangedifference", "Can settle differences with exchanges")],
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["trader", "-id"], name="idx_differences_trader")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("settled_at__isnull", True)),
                        fields=("trader", "kind", "subject"),
                        name="exchange_differences_one_unsettled",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("side__isnull", True), ("side__in", ["long", "short"]), _connector="OR"),
                        name="exchange_differences_side_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("symbol__isnull", True),
                            (
                                "symbol__regex",
                                "^[^|\\u0001-\\u0020\\u007f-\\u00a0\\u00ad\\u061c\\u1680\\u180e\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u3000\\ufeff\\ufff9-\\ufffb]{1,64}$",
                            ),
                            _connector="OR",
                        ),
                        name="exchange_differences_symbol_form",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("reason__isnull", True),
                                ("settled_at__isnull", True),
                                ("settled_by__isnull", True),
                                ("settlement__isnull", True),
                            ),
                            models.Q(
                                ("reason__isnull", False),
                                ("settled_at__isnull", False),
                                ("settled_by__isnull", False),
                                ("settlement__in", ["taken", "dismissed"]),
                            ),
                            _connector="OR",
                        ),
                        name="exchange_differences_settled_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", ""), _negated=True),
                            models.Q(("subject", ""), _negated=True),
                            models.Q(("reported_by", ""), _negated=True),
                        ),
                        name="exchange_differences_named",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("found_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("found_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="exchange_differences_found_at_is_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("seen_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("seen_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="exchange_differences_seen_at_is_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("agreed_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("agreed_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="exchange_differences_agreed_at_is_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("settled_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("settled_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="exchange_differences_settled_at_is_a_moment",
                    ),
                ],
            },
        ),
    ]
