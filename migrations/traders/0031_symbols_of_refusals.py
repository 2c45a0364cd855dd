"""What was refused since it lies ahead names a symbol, or none where the record does. Rows from before stay."""

from __future__ import annotations

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from migrations.stored_rules import VISIBLE_SYMBOL_FORM, check_rows_from_before

_NAMED = models.Q(symbol="") | models.Q(symbol__regex=VISIBLE_SYMBOL_FORM)


class Migration(migrations.Migration):
    dependencies = [("traders", "0030_no_moment_ahead_of_the_clock")]

    operations = [
        AddConstraintNotValid(
            "clockrefusal", models.CheckConstraint(condition=_NAMED, name="clock_refusals_symbol_form")
        ),
        check_rows_from_before(["clock_refusals"]),
    ]
