"""No transfer, and no entry that sets a row aside, lies more than a day ahead of the database's clock, as no other row
of the record does.

A row that is taken once is always taken: the limit moves on. Rows from before that lie ahead stay, and are listed.
"""

from __future__ import annotations

from importlib import import_module

from django.db import migrations

from migrations.stored_rules import check_rows_from_before

_BEFORE = import_module("migrations.trading.0009_not_ahead_of_the_clock")
# {table: (column, the latest that is taken)}
COLUMNS = {"equity_transfers": ("ts_ms", _BEFORE._MS), "record_exclusions": ("at", _BEFORE._MOMENT)}

ADD = "".join(
    f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_not_ahead CHECK ({column} <= {latest}) NOT VALID;\n"
    for table, (column, latest) in COLUMNS.items()
)
DROP = "".join(
    f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_not_ahead;\n" for table, (column, _) in COLUMNS.items()
)


class Migration(migrations.Migration):
    dependencies = [("trading", "0032_symbols_that_can_be_seen")]

    operations = [
        migrations.RunSQL(ADD, DROP),
        check_rows_from_before([*COLUMNS]),
    ]
