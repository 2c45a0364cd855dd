"""No symbol has a character that looks blank, or like none at all: two symbols that differ look different.

Rows from before stay. A position or a trade can be set aside, and a difference settled; the others are listed.
"""

from __future__ import annotations

from django.db import migrations, models

from migrations.stored_rules import VISIBLE_SYMBOL_FORM, replaced_symbol_forms

_VISIBLE = models.Q(symbol__regex=VISIBLE_SYMBOL_FORM)
_SET_ASIDE = models.Q(exclusion__isnull=False)
# {model: (table, the rule)}
RULES = {
    "position": ("positions", _SET_ASIDE | _VISIBLE),
    "trade": ("trades", _SET_ASIDE | _VISIBLE),
    "symbol": ("symbols", _VISIBLE),
    "providersymbol": ("provider_symbols", _VISIBLE),
    "exchangedifference": (
        "exchange_differences",
        models.Q(symbol__isnull=True) | models.Q(settled_at__isnull=False) | _VISIBLE,
    ),
}


class Migration(migrations.Migration):
    dependencies = [("trading", "0031_functions_on_citus")]

    operations = replaced_symbol_forms(RULES)
