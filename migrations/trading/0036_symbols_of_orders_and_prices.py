"""The symbols of the manager's orders and of the earlier program's prices keep the form of all others.

Rows from before stay. What is left to do of an order can be recorded: it is then left alone.
"""

from __future__ import annotations

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from migrations.stored_rules import VISIBLE_SYMBOL_FORM, check_rows_from_before

_VISIBLE = models.Q(symbol__regex=VISIBLE_SYMBOL_FORM)
# {model: (table, the rule)}
RULES = {
    "managerorder": ("manager_orders", models.Q(is_recorded=True) | _VISIBLE),
    "pricehistory": ("price_history", _VISIBLE),
}


class Migration(migrations.Migration):
    dependencies = [("trading", "0035_no_moment_ahead_of_the_clock")]

    operations = [
        *(
            AddConstraintNotValid(model, models.CheckConstraint(condition=rule, name=f"{table}_symbol_form"))
            for model, (table, rule) in RULES.items()
        ),
        check_rows_from_before([table for table, _rule in RULES.values()]),
    ]
