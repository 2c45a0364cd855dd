"""What a trade says of a control that its entry went against can be read, whatever program writes it."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations

from migrations.stored_rules import check_rows_from_before

_EVENTS = import_module("migrations.trading.0010_events_are_added")
_BROKEN = _EVENTS._is_broken("against_control", {"at_ms": _EVENTS.MS})

ADD = f"""
ALTER TABLE trades ADD CONSTRAINT trades_against_control_can_be_read
    CHECK (exclusion_id IS NOT NULL OR NOT {_BROKEN}) NOT VALID;
"""
DROP = "ALTER TABLE trades DROP CONSTRAINT trades_against_control_can_be_read;"


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0021_fewer_indexes_of_trades"),
    ]

    operations = [
        migrations.RunSQL(ADD, DROP),
        check_rows_from_before(["trades"]),
    ]
