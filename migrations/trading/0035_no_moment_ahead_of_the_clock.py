"""No other moment of the record lies more than a day ahead of the database's clock either: when a row was written, the
events of a position, the fills of a trade.

Of a row that can be changed only what is newly written is looked at, by triggers: a position from before can be changed
and closed. Rows from before that lie ahead stay.
"""

from __future__ import annotations

from django.db import migrations

from migrations.stored_rules import (
    LATEST_TAKEN,
    LATEST_TAKEN_MS,
    check_rows_from_before,
    moment,
    not_ahead,
    not_ahead_triggers,
)

REFUSE = "nof0_refuse_row"
# Rows that are only added.
CREATED = {
    "trades": "exclusion_id IS NOT NULL OR ",
    "decision_journal": "exclusion_id IS NOT NULL OR ",
    "equity_transfers": "",
}
CHECKS = "".join(
    f"ALTER TABLE {table} ADD CONSTRAINT {table}_created_at_not_ahead"
    f" CHECK ({unless}created_at <= {LATEST_TAKEN}) NOT VALID;\n"
    for table, unless in CREATED.items()
)
DROP_CHECKS = "".join(f"ALTER TABLE {table} DROP CONSTRAINT {table}_created_at_not_ahead;\n" for table in CREATED)

_VARIABLES = f"'latest', {LATEST_TAKEN_MS}"
_ROW = ("created_at", "updated_at")


def _lies_ahead(path: str, more: str = "") -> str:
    """SQL: a number at this path of NEW's detail is too late. `more` are further variables of the path."""
    return f"jsonb_path_exists(NEW.detail, '{path} ? (@ > $latest)', jsonb_build_object({_VARIABLES}{more}))"


def _leaf(row: str, path: str) -> str:
    return f"jsonb_path_query_array({row}.detail, '{path}')"


_LEAVES = ("$.reported.at_ms", "$.against_control.at_ms")
NEW_POSITION = " OR ".join(
    [
        *(f"NEW.{column} > {LATEST_TAKEN}" for column in _ROW),
        *(_lies_ahead(path) for path in ("$.events[*].at_ms", *_LEAVES)),
    ]
)
# Events are added at the end, which another trigger holds: those behind the ones that were there are new.
_KNOWN = (
    "CASE jsonb_typeof(OLD.detail -> 'events') WHEN 'array' THEN jsonb_array_length(OLD.detail -> 'events') ELSE 0 END"
)
CHANGED_POSITION = " OR ".join(
    [
        *(f"NEW.{column} IS DISTINCT FROM OLD.{column} AND NEW.{column} > {LATEST_TAKEN}" for column in _ROW),
        "NEW.detail -> 'events' IS DISTINCT FROM OLD.detail -> 'events' AND "
        + _lies_ahead("$.events[$known to last].at_ms", f", 'known', {_KNOWN}"),
        *(f"{_leaf('NEW', path)} IS DISTINCT FROM {_leaf('OLD', path)} AND {_lies_ahead(path)}" for path in _LEAVES),
    ]
)

# A trade tells the moments of its position again. Those of a position from before the rule are let through, so that it
# can be closed.
_TOLD = ("$.fills[*].ts_ms", "$.against_control.at_ms")
_MOMENTS = " UNION ALL ".join(
    f"SELECT jsonb_path_query(NEW.detail, '{path} ? (@ > $latest)', jsonb_build_object({_VARIABLES}))" for path in _TOLD
)
_OF_POSITION = " OR ".join(
    f"jsonb_path_exists(p.detail, '{path} ? (@ == $at)', jsonb_build_object('at', m.at))"
    for path in ("$.events[*].at_ms", "$.against_control.at_ms")
)
TRADES = f"""
CREATE FUNCTION nof0_refuse_trade_ahead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM ({_MOMENTS}) AS m (at)
                WHERE NOT EXISTS (SELECT FROM positions p
                                   WHERE p.trader_id = NEW.trader_id AND p.symbol = NEW.symbol AND ({_OF_POSITION}))) THEN
        RAISE EXCEPTION '% of % refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER trades_moments_not_ahead AFTER INSERT ON trades FOR EACH ROW
    WHEN ({" OR ".join(map(_lies_ahead, _TOLD))})
    EXECUTE FUNCTION nof0_refuse_trade_ahead(
        'detail.fills, detail.against_control: not more than a day ahead of the database''s clock');
"""
DROP_TRADES = """
DROP TRIGGER trades_moments_not_ahead ON trades;
DROP FUNCTION nof0_refuse_trade_ahead();
"""

_PRICED = f"{LATEST_TAKEN_MS} < ANY (NEW.moments_ms)"


class Migration(migrations.Migration):
    dependencies = [("trading", "0034_fewer_indexes")]

    operations = [
        moment("equitytransfer", "equity_transfers", "created_at"),
        moment("managerorder", "manager_orders", "updated_at"),
        migrations.RunSQL(CHECKS, DROP_CHECKS),
        not_ahead_triggers(
            *("positions", "created_at, updated_at, detail", NEW_POSITION, CHANGED_POSITION, REFUSE), name="moments_"
        ),
        migrations.RunSQL(TRADES, DROP_TRADES),
        not_ahead("symbols", "first_seen_at", refuse=REFUSE),
        not_ahead("provider_symbols", "first_seen_at", refuse=REFUSE),
        not_ahead(
            *("exchange_differences", "found_at", "seen_at", "agreed_at", "settled_at"),
            refuse=REFUSE,
        ),
        not_ahead("manager_cycles", "opened_at", refuse=REFUSE),
        not_ahead("manager_orders", "sent_at", "filled_at", "updated_at", refuse=REFUSE),
        not_ahead("move_ins", "at", refuse=REFUSE),
        not_ahead_triggers(
            *("price_history", "moments_ms", _PRICED),
            *(f"NEW.moments_ms IS DISTINCT FROM OLD.moments_ms AND {_PRICED}", REFUSE),
        ),
        check_rows_from_before([*CREATED, "manager_orders"]),
    ]
