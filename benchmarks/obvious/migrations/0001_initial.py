from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.text
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import traders.schema.jsonio


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalObviousTrader",
            fields=[
                ("id", models.TextField(db_index=True)),
                ("version", models.IntegerField(default=1)),
                ("exchange_provider", models.TextField()),
                ("market_provider", models.TextField()),
                ("allocation_pct", models.DecimalField(decimal_places=2, max_digits=5)),
                (
                    "detail",
                    models.JSONField(
                        decoder=traders.schema.jsonio.ExactDecoder, encoder=traders.schema.jsonio.ExactEncoder
                    ),
                ),
                ("created_at", models.DateTimeField(blank=True, editable=False)),
                ("updated_at", models.DateTimeField(blank=True, editable=False)),
                ("created_by", models.TextField(null=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical obvious trader",
                "verbose_name_plural": "historical obvious traders",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="ObviousTrader",
            fields=[
                ("id", models.TextField(primary_key=True, serialize=False)),
                ("version", models.IntegerField(default=1)),
                ("exchange_provider", models.TextField()),
                ("market_provider", models.TextField()),
                ("allocation_pct", models.DecimalField(decimal_places=2, max_digits=5)),
                (
                    "detail",
                    models.JSONField(
                        decoder=traders.schema.jsonio.ExactDecoder, encoder=traders.schema.jsonio.ExactEncoder
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("created_by", models.TextField(null=True)),
            ],
            options={
                "db_table": "obvious_trader",
                "indexes": [
                    models.Index(fields=["exchange_provider", "market_provider"], name="idx_obvious_providers")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("id"), name="obvious_id_ignoring_case"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("allocation_pct__gte", 0), ("allocation_pct__lte", 100)),
                        name="obvious_allocation",
                    ),
                ],
            },
        ),
    ]
