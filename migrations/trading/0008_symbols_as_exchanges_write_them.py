"""Symbols are named as exchanges write them, one spelling a provider, and grouped by their underlying.

What was stored before keeps the new rule as well: it takes more names than the one before.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models.functions import Lower

from migrations.stored_rules import EARLIEST, LATEST, SYMBOL_FORM, check_rows_from_before
from traders.schema.symbols import base_asset

TABLES = ("positions", "symbols", "trades")


def _form(model: str, table: str) -> list[Any]:
    name = f"{table}_symbol_form"
    rule = models.CheckConstraint(condition=models.Q(symbol__regex=SYMBOL_FORM), name=name)
    return [migrations.RemoveConstraint(model, name), AddConstraintNotValid(model, rule)]


def fill_base_assets(apps: Any, schema_editor: Any) -> None:
    rows = apps.get_model("trading", "Symbol").objects.using(schema_editor.connection.alias)
    for name in list(rows.values_list("symbol", flat=True)):
        rows.filter(symbol=name).update(base_asset=base_asset(name))


class Migration(migrations.Migration):
    dependencies = [("trading", "0007_rows_that_can_be_read")]

    operations = [
        migrations.AddField("symbol", "base_asset", models.TextField(blank=True, null=True)),
        migrations.RunPython(fill_base_assets, migrations.RunPython.noop),
        migrations.CreateModel(
            name="ProviderSymbol",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "provider", "symbol", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.TextField()),
                ("symbol", models.TextField()),
                ("first_seen_at", models.DateTimeField(db_default=TransactionNow())),
            ],
            options={
                "verbose_name": "symbol of a provider",
                "verbose_name_plural": "symbols of providers",
                "db_table": "provider_symbols",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("provider"), Lower("symbol"), name="provider_symbols_one_spelling"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(symbol__regex=SYMBOL_FORM), name="provider_symbols_symbol_form"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(first_seen_at__gte=EARLIEST, first_seen_at__lte=LATEST),
                        name="provider_symbols_first_seen_at_is_a_moment",
                    ),
                ],
            },
        ),
        *_form("symbol", "symbols"),
        *_form("position", "positions"),
        *_form("trade", "trades"),
        check_rows_from_before(TABLES),
    ]
