"""No cooldown and no control names a symbol with a character that looks blank. Rows from before stay."""

from __future__ import annotations

from django.db import migrations, models

from migrations.stored_rules import VISIBLE_SYMBOL_FORM, replaced_symbol_forms

_VISIBLE = models.Q(symbol__regex=VISIBLE_SYMBOL_FORM)
# {model: (table, the rule)}
RULES = {
    "tradersymbolcooldown": ("trader_symbol_cooldowns", _VISIBLE),
    "tradercontrol": ("trader_controls", models.Q(symbol__isnull=True) | _VISIBLE),
}


class Migration(migrations.Migration):
    dependencies = [("traders", "0027_account_preferences")]

    operations = replaced_symbol_forms(RULES)
