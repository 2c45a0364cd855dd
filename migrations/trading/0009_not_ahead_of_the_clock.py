"""No row of the record lies more than a day ahead of the database's clock.

A row that is taken once is always taken: the limit moves on. Rows from before that lie ahead are listed, and can be set
aside.
"""

from __future__ import annotations

from django.db import migrations

from migrations.stored_rules import LATEST_TAKEN, LATEST_TAKEN_MS, check_rows_from_before

_MS, _MOMENT = LATEST_TAKEN_MS, LATEST_TAKEN
# {table: (column, the latest that is taken)}
COLUMNS = {
    "trades": ("close_ts_ms", _MS),
    "equity_snapshots": ("ts_ms", _MS),
    "decision_journal": ("decided_at", _MOMENT),
}
CHECKS = "".join(
    f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_not_ahead"
    f" CHECK (exclusion_id IS NOT NULL OR {column} <= {latest}) NOT VALID;\n"
    for table, (column, latest) in COLUMNS.items()
) + (
    "ALTER TABLE conversation_messages ADD CONSTRAINT conversation_messages_sent_at_not_ahead"
    f" CHECK (sent_at <= {_MOMENT}) NOT VALID;\n"
)
DROP_CHECKS = "".join(
    f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_not_ahead;\n"
    for table, column in [
        *((table, column) for table, (column, _) in COLUMNS.items()),
        ("conversation_messages", "sent_at"),
    ]
)
# Of a position only what is newly written is looked at, so that one from before can be closed. `opened_ms` is not
# computed yet before the row is stored.
_CLOSED = "(NEW.detail #>> '{close,time_ms}')::numeric"
POSITIONS = f"""
CREATE TRIGGER positions_new_not_ahead AFTER INSERT ON positions FOR EACH ROW
    WHEN (NEW.opened_ms > {_MS} OR (jsonb_typeof(NEW.detail #> '{{close,time_ms}}') = 'number' AND {_CLOSED} > {_MS}))
    EXECUTE FUNCTION nof0_refuse_row('detail: a moment lies more than a day ahead of the database''s clock');
CREATE TRIGGER positions_not_ahead AFTER UPDATE ON positions FOR EACH ROW
    WHEN (NEW.opened_ms IS DISTINCT FROM OLD.opened_ms AND NEW.opened_ms > {_MS}
          OR (NEW.detail -> 'close' IS DISTINCT FROM OLD.detail -> 'close'
              AND jsonb_typeof(NEW.detail #> '{{close,time_ms}}') = 'number' AND {_CLOSED} > {_MS}))
    EXECUTE FUNCTION nof0_refuse_row('detail: a moment lies more than a day ahead of the database''s clock');
"""
DROP_POSITIONS = """
DROP TRIGGER positions_not_ahead ON positions;
DROP TRIGGER positions_new_not_ahead ON positions;
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0008_symbols_as_exchanges_write_them")]

    operations = [
        migrations.RunSQL(CHECKS, DROP_CHECKS),
        migrations.RunSQL(POSITIONS, DROP_POSITIONS),
        check_rows_from_before([*COLUMNS, "conversation_messages"]),
    ]
