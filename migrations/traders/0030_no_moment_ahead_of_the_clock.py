"""No moment at which a row was made or reported lies more than a day ahead of the database's clock.

Rows from before stay, and can be changed otherwise: only what is newly written is looked at.
"""

from __future__ import annotations

from django.db import migrations

from migrations.stored_rules import not_ahead

REFUSE = "nof0_refuse_change"


class Migration(migrations.Migration):
    dependencies = [("traders", "0029_fewer_indexes")]

    operations = [
        not_ahead("clock_refusals", "first_at", "last_at", refuse=REFUSE),
        not_ahead("trader_runtime_state", "updated_at", refuse=REFUSE),
        not_ahead("trader_symbol_cooldowns", "created_at", refuse=REFUSE),
        not_ahead("trader_control_acks", "at", "received_at", refuse=REFUSE),
    ]
