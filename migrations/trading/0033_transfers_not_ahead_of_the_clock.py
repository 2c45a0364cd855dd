"""No transfer, and no entry that sets a row aside, lies more than a day ahead of the database's clock, as no other row
of the record does.

A row that is taken once is always taken: the limit moves on. Rows from before that lie ahead stay, and are listed.
"""

from __future__ import annotations

from django.db import migrations

from migrations.stored_rules import LATEST_TAKEN, LATEST_TAKEN_MS, check_rows_from_before

# {table: (column, the latest that is taken)}
COLUMNS = {"equity_transfers": ("ts_ms", LATEST_TAKEN_MS), "record_exclusions": ("at", LATEST_TAKEN)}

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
