"""Cooldowns name symbols as exchanges write them. What was stored before keeps the new rule as well."""

from __future__ import annotations

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from migrations.stored_rules import SYMBOL_FORM, check_rows_from_before

NAME = "trader_symbol_cooldowns_symbol_form"


class Migration(migrations.Migration):
    dependencies = [("traders", "0013_rows_that_can_be_read")]

    operations = [
        migrations.RemoveConstraint("tradersymbolcooldown", NAME),
        AddConstraintNotValid(
            "tradersymbolcooldown", models.CheckConstraint(condition=models.Q(symbol__regex=SYMBOL_FORM), name=NAME)
        ),
        check_rows_from_before(["trader_symbol_cooldowns"]),
    ]
