from __future__ import annotations

import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.text
import simple_history.models
from django.db import migrations, models

import traders.schema.jsonio


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ManagerConfigVersion",
            fields=[
                (
                    "changed_fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), db_default=[], default=list, size=None
                    ),
                ),
                ("change_set", models.BigIntegerField(db_index=True)),
                ("source", models.TextField()),
                ("id", models.SmallIntegerField(db_default=1, default=1)),
                ("version", models.IntegerField(db_default=1)),
                (
                    "detail",
                    models.JSONField(
                        decoder=traders.schema.jsonio.ExactDecoder, encoder=traders.schema.jsonio.ExactEncoder
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
                ("created_by", models.TextField(blank=True, null=True)),
                ("history_change_reason", models.TextField()),
                ("history_user_id", models.TextField()),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
            ],
            options={
                "verbose_name": "historical fleet settings",
                "verbose_name_plural": "historical fleet settings",
                "db_table": "manager_config_versions",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="PromptText",
            fields=[
                ("sha256", models.TextField(primary_key=True, serialize=False)),
                ("path", models.TextField()),
                ("version", models.TextField()),
                ("body", models.TextField()),
                (
                    "first_seen_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
            ],
            options={
                "verbose_name": "prompt text",
                "verbose_name_plural": "prompt texts",
                "db_table": "prompt_texts",
            },
        ),
        migrations.CreateModel(
            name="SyncConflict",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "config_id", "path", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("config_id", models.TextField()),
                ("path", models.TextField()),
                (
                    "declared",
                    models.JSONField(
                        decoder=traders.schema.jsonio.ExactDecoder, encoder=traders.schema.jsonio.ExactEncoder
                    ),
                ),
                ("file_sha256", models.TextField()),
                (
                    "seen_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
            ],
            options={
                "verbose_name": "sync conflict",
                "verbose_name_plural": "sync conflicts",
                "db_table": "sync_conflicts",
            },
        ),
        migrations.CreateModel(
            name="TraderConfig",
            fields=[
                ("id", models.TextField(primary_key=True, serialize=False)),
                ("version", models.IntegerField(db_default=1)),
                ("exchange_provider", models.TextField()),
                ("market_provider", models.TextField()),
                ("allocation_pct", models.DecimalField(decimal_places=2, max_digits=5)),
                (
                    "detail",
                    models.JSONField(
                        decoder=traders.schema.jsonio.ExactDecoder, encoder=traders.schema.jsonio.ExactEncoder
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
                ("created_by", models.TextField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "trader",
                "verbose_name_plural": "traders",
                "db_table": "trader_config",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="TraderConfigVersion",
            fields=[
                (
                    "changed_fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), db_default=[], default=list, size=None
                    ),
                ),
                ("change_set", models.BigIntegerField(db_index=True)),
                ("source", models.TextField()),
                ("id", models.TextField()),
                ("version", models.IntegerField(db_default=1)),
                ("exchange_provider", models.TextField()),
                ("market_provider", models.TextField()),
                ("allocation_pct", models.DecimalField(decimal_places=2, max_digits=5)),
                (
                    "detail",
                    models.JSONField(
                        decoder=traders.schema.jsonio.ExactDecoder, encoder=traders.schema.jsonio.ExactEncoder
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
                ("created_by", models.TextField(blank=True, null=True)),
                ("history_change_reason", models.TextField()),
                ("history_user_id", models.TextField()),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
            ],
            options={
                "verbose_name": "historical trader",
                "verbose_name_plural": "historical traders",
                "db_table": "trader_config_versions",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="TraderSymbolCooldown",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "trader_id", "symbol", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "trader",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cooldowns",
                        to="traders.traderconfig",
                    ),
                ),
                ("symbol", models.TextField()),
                ("cooldown_until", models.DateTimeField()),
                (
                    "detail",
                    models.JSONField(
                        db_default={},
                        decoder=traders.schema.jsonio.ExactDecoder,
                        default=dict,
                        encoder=traders.schema.jsonio.ExactEncoder,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
            ],
            options={
                "verbose_name": "cooldown",
                "verbose_name_plural": "cooldowns",
                "db_table": "trader_symbol_cooldowns",
            },
        ),
        migrations.CreateModel(
            name="YamlBase",
            fields=[
                ("trader_id", models.TextField(primary_key=True, serialize=False)),
                (
                    "declared",
                    models.JSONField(
                        decoder=traders.schema.jsonio.ExactDecoder, encoder=traders.schema.jsonio.ExactEncoder
                    ),
                ),
                ("declared_digest", models.TextField()),
                ("file_sha256", models.TextField()),
                (
                    "synced_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
            ],
            options={
                "verbose_name": "synced declaration",
                "verbose_name_plural": "synced declarations",
                "db_table": "yaml_base",
            },
        ),
        migrations.CreateModel(
            name="ManagerConfig",
            fields=[
                ("id", models.SmallIntegerField(db_default=1, default=1, primary_key=True, serialize=False)),
                ("version", models.IntegerField(db_default=1)),
                (
                    "detail",
                    models.JSONField(
                        decoder=traders.schema.jsonio.ExactDecoder, encoder=traders.schema.jsonio.ExactEncoder
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
                ("created_by", models.TextField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "fleet settings",
                "verbose_name_plural": "fleet settings",
                "db_table": "manager_config",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="manager_config_one_row"),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 1)), name="manager_config_version_from_1"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TraderRuntimeState",
            fields=[
                (
                    "trader",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="runtime_state",
                        serialize=False,
                        to="traders.traderconfig",
                    ),
                ),
                ("active_config_version", models.IntegerField(blank=True, null=True)),
                ("is_running", models.BooleanField(db_default=False, default=False)),
                (
                    "detail",
                    models.JSONField(
                        db_default={},
                        decoder=traders.schema.jsonio.ExactDecoder,
                        default=dict,
                        encoder=traders.schema.jsonio.ExactEncoder,
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
            ],
            options={
                "verbose_name": "runtime state",
                "verbose_name_plural": "runtime states",
                "db_table": "trader_runtime_state",
            },
        ),
        migrations.AddIndex(
            model_name="traderconfig",
            index=models.Index(fields=["exchange_provider", "market_provider"], name="idx_trader_config_providers"),
        ),
        migrations.AddConstraint(
            model_name="traderconfig",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("id"), name="trader_config_id_ignoring_case"
            ),
        ),
        migrations.AddConstraint(
            model_name="traderconfig",
            constraint=models.CheckConstraint(
                condition=models.Q(("allocation_pct__gte", 0), ("allocation_pct__lte", 100)),
                name="trader_config_allocation_pct_0_to_100",
            ),
        ),
        migrations.AddConstraint(
            model_name="traderconfig",
            constraint=models.CheckConstraint(
                condition=models.Q(("version__gte", 1)), name="trader_config_version_from_1"
            ),
        ),
        migrations.AddConstraint(
            model_name="traderconfig",
            constraint=models.CheckConstraint(
                condition=models.Q(("id__regex", "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")),
                name="trader_config_id_form",
            ),
        ),
        migrations.AddConstraint(
            model_name="yamlbase",
            constraint=models.CheckConstraint(
                condition=models.Q(("file_sha256__regex", "^[0-9a-f]{64}$")),
                name="yaml_base_file_sha256_form",
            ),
        ),
        migrations.AddConstraint(
            model_name="traderruntimestate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("active_config_version__isnull", True),
                    ("active_config_version__gte", 1),
                    _connector="OR",
                ),
                name="trader_runtime_state_version_from_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="traderruntimestate",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_running", False), ("active_config_version__isnull", False), _connector="OR"),
                name="trader_runtime_state_running_has_version",
            ),
        ),
        migrations.AddIndex(
            model_name="tradersymbolcooldown",
            index=models.Index(fields=["cooldown_until"], name="idx_cooldowns_expire"),
        ),
        migrations.AddConstraint(
            model_name="tradersymbolcooldown",
            constraint=models.CheckConstraint(
                condition=models.Q(("symbol__regex", "^[A-Z0-9][A-Z0-9._:/-]{0,31}$")),
                name="trader_symbol_cooldowns_symbol_form",
            ),
        ),
    ]
