"""No row of the record that no reader can use: no NaN, no infinity, no moment of another unit, no close that says nothing.

Rows from before that break a rule are listed and do not stop the migration. Rows that were set aside are left alone, so
that a bad row can be set aside. An open position from before can be closed: of a closed one only what is newly written
is looked at, by triggers, because a CHECK would look at the whole row.
"""

from __future__ import annotations

from django.db import migrations, models

from migrations.stored_rules import EARLIEST_MS, LARGEST, LATEST_MS, check_rows_from_before, moment, moment_ms, number

MOMENTS = "BETWEEN '2010-01-01 00:00:00+00' AND '2100-01-01 00:00:00+00'"

# What a leaf must not be, in SQL/JSON's path language.
ANY, FROM_0 = f"{{0}} < -{LARGEST:f} || {{0}} > {LARGEST:f}", f"{{0}} < 0 || {{0}} > {LARGEST:f}"
ABOVE_0, LEVERAGE = f"{{0}} <= 0 || {{0}} > {LARGEST:f}", "{0} <= 0 || {0} > 1000"
PERCENT, UP_TO_100 = "{0} <= 0 || {0} > 100", "{0} < 0 || {0} > 100"
MS = f"{{0}} < {EARLIEST_MS} || {{0}} > {LATEST_MS} || {{0}} != {{0}}.floor()"

_EXIT_PLAN = {"tp_price": ABOVE_0, "sl_price": ABOVE_0, "trailing_stop_pct": PERCENT}
_ORDER = dict.fromkeys(("leverage", "position_size_usd", "entry_price", "stop_loss", "take_profit"), FROM_0)
_ORDER["confidence"] = UP_TO_100
# {table: {part of `detail`: {leaf: what it must not be}}}. A leaf that is null or not there is not known.
PARTS: dict[str, dict[str, dict[str, str]]] = {
    "trades": {
        "time": {"open_ts_ms": MS, "close_ts_ms": MS, "duration_seconds": FROM_0},
        "prices": {"avg_entry": ABOVE_0, "avg_exit": ABOVE_0},
        "quantity": {"total": ABOVE_0},
        "pnl": {"gross": ANY, "commission": ANY, "net": ANY},
        "risk": {"leverage": LEVERAGE, "confidence": UP_TO_100},
        "fills": {"price": ABOVE_0, "quantity": ABOVE_0, "commission": ANY, "closed_pnl": ANY, "ts_ms": MS},
        "exit_plan": _EXIT_PLAN,
    },
    "decision_journal": {
        "decisions": _ORDER | {"risk_usd": FROM_0},
        "account": {
            **dict.fromkeys(("equity_usd", "available_usd", "used_margin_usd", "used_margin_pct", "sharpe_ratio"), ANY),
            "positions": FROM_0,
        },
        "positions": {
            **dict.fromkeys(("quantity", "leverage", "entry_price", "mark_price", "liquidation_price"), FROM_0),
            "unrealized_pnl": ANY,
        },
        "market": {
            **dict.fromkeys(("price", "open_interest"), FROM_0),
            **dict.fromkeys(("change_1h", "change_4h", "funding"), ANY),
        },
        "cooldowns": {"until_ms": MS},
        "actions": _ORDER,
        "usage": dict.fromkeys(("prompt_tokens", "completion_tokens", "cost_usd", "latency_ms"), FROM_0),
    },
}
POSITION: dict[str, dict[str, str]] = {
    "entry": {"price": ABOVE_0, "quantity": ABOVE_0, "time_ms": MS, "leverage": LEVERAGE},
    "risk": {"confidence": UP_TO_100, "risk_usd": FROM_0},
    "exit_plan": _EXIT_PLAN,
    "reported": {
        **dict.fromkeys(("current_price", "margin", "liquidation_price"), FROM_0),
        **dict.fromkeys(("unrealized_pnl", "closed_pnl", "commission", "slippage"), ANY),
        "at_ms": MS,
    },
}
CLOSE = {"price": ABOVE_0, "quantity": ABOVE_0, "time_ms": MS, "pnl": ANY}


def _is_broken(part: str, leaves: dict[str, str], row: str = "") -> str:
    """SQL: a leaf of the part is no JSON number, such as the text "NaN", or beyond its bounds. Lists are looked into."""
    tests = " || ".join(
        f'(@.{leaf}.type() != "number" && @.{leaf}.type() != "null") || ({test.format(f"@.{leaf}")})'
        for leaf, test in leaves.items()
    )
    return f"{row}detail @? '$.{part} ? ({tests})'"


CHECKS = "".join(
    f"""
ALTER TABLE {table} ADD CONSTRAINT {table}_{part}_can_be_read
    CHECK (exclusion_id IS NOT NULL OR NOT {_is_broken(part, leaves)}) NOT VALID;"""
    for table, parts in PARTS.items()
    for part, leaves in parts.items()
) + "".join(
    f"""
ALTER TABLE positions ADD CONSTRAINT positions_{part}_can_be_read
    CHECK (status <> 'open' OR exclusion_id IS NOT NULL OR NOT {_is_broken(part, leaves)}) NOT VALID;"""
    for part, leaves in POSITION.items()
)
DROP_CHECKS = "".join(
    f"ALTER TABLE {table} DROP CONSTRAINT {table}_{part}_can_be_read;\n"
    for table, parts in {**PARTS, "positions": POSITION}.items()
    for part in parts
)

REFUSE = """
CREATE FUNCTION nof0_refuse_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
END $$;
"""
DROP_REFUSE = "DROP FUNCTION nof0_refuse_row();"


def _close_is_broken(row: str) -> str:
    """A close before the entry is no close, unless the entry's own time cannot be read."""
    facts = " OR ".join(f"jsonb_typeof({row}detail #> '{{close,{leaf}}}') IS DISTINCT FROM 'number'" for leaf in FACTS)
    return f"""({facts} OR {_is_broken("close", CLOSE, row)}
        OR ({row}opened_ms BETWEEN {EARLIEST_MS} AND {LATEST_MS}
            AND {row}detail @? '$ ? (@.close.time_ms < @.entry.time_ms)'))"""


FACTS = ("price", "quantity", "time_ms")
_PARTS_OF_CLOSED = " OR ".join(_is_broken(part, leaves, "NEW.") for part, leaves in POSITION.items())
_PARTS_WRITTEN = " OR ".join(
    f"(NEW.detail -> '{part}' IS DISTINCT FROM OLD.detail -> '{part}' AND {_is_broken(part, leaves, 'NEW.')})"
    for part, leaves in POSITION.items()
)
# Generated columns are not computed yet before the row is stored: these triggers come after.
POSITIONS = f"""
CREATE TRIGGER positions_stay_closed AFTER UPDATE ON positions FOR EACH ROW
    WHEN (OLD.status = 'closed' AND NEW.status <> 'closed')
    EXECUTE FUNCTION nof0_refuse_row('status: a closed position is not opened again under its id');

CREATE TRIGGER positions_new_close_can_be_read AFTER INSERT ON positions FOR EACH ROW
    WHEN (NEW.status = 'closed' AND {_close_is_broken("NEW.")})
    EXECUTE FUNCTION nof0_refuse_row('detail.close: price, quantity and time_ms of the close, not before the entry');
CREATE TRIGGER positions_close_can_be_read AFTER UPDATE ON positions FOR EACH ROW
    WHEN (NEW.status = 'closed'
          AND (OLD.status <> 'closed' OR NEW.detail -> 'close' IS DISTINCT FROM OLD.detail -> 'close')
          AND {_close_is_broken("NEW.")})
    EXECUTE FUNCTION nof0_refuse_row('detail.close: price, quantity and time_ms of the close, not before the entry');

CREATE TRIGGER positions_new_closed_can_be_read AFTER INSERT ON positions FOR EACH ROW
    WHEN (NEW.status = 'closed' AND ({_PARTS_OF_CLOSED}))
    EXECUTE FUNCTION nof0_refuse_row('detail: numbers and moments of the position cannot be read');
CREATE TRIGGER positions_closed_can_be_read AFTER UPDATE ON positions FOR EACH ROW
    WHEN (NEW.status = 'closed' AND ({_PARTS_WRITTEN}))
    EXECUTE FUNCTION nof0_refuse_row('detail: numbers and moments of the position cannot be read');

CREATE TRIGGER positions_new_moments_can_be_read AFTER INSERT ON positions FOR EACH ROW
    WHEN (NOT (NEW.created_at {MOMENTS} AND NEW.updated_at {MOMENTS}))
    EXECUTE FUNCTION nof0_refuse_row('created_at, updated_at: moments of the years 2010 to 2099');
CREATE TRIGGER positions_moments_can_be_read AFTER UPDATE ON positions FOR EACH ROW
    WHEN (NEW.created_at IS DISTINCT FROM OLD.created_at AND NOT NEW.created_at {MOMENTS}
          OR NEW.updated_at IS DISTINCT FROM OLD.updated_at AND NOT NEW.updated_at {MOMENTS})
    EXECUTE FUNCTION nof0_refuse_row('created_at, updated_at: moments of the years 2010 to 2099');
"""
DROP_POSITIONS = "".join(
    f"DROP TRIGGER {name} ON positions;\n"
    for name in (
        *("positions_moments_can_be_read", "positions_new_moments_can_be_read", "positions_closed_can_be_read"),
        *("positions_new_closed_can_be_read", "positions_close_can_be_read", "positions_new_close_can_be_read"),
        "positions_stay_closed",
    )
)

# The roll-up follows the trades, and an old trade may hold what spoils its sums: only what is written past the triggers
# of `trades` is refused, or no trade could be recorded beside that one.
_SUMS = ("net_pnl", "gross_pnl", "commission")
RESULTS = f"""
CREATE TRIGGER version_results_can_be_read BEFORE INSERT OR UPDATE ON version_results FOR EACH ROW
    WHEN (pg_trigger_depth() = 0 AND NOT (
        {" AND ".join(f"abs(NEW.{column}) <= {LARGEST:f}" for column in _SUMS)}
        AND NEW.first_close_ms BETWEEN {EARLIEST_MS} AND {LATEST_MS}
        AND NEW.last_close_ms BETWEEN NEW.first_close_ms AND {LATEST_MS}
        AND NEW.trades >= NEW.wins + NEW.losses AND least(NEW.wins, NEW.losses, NEW.straddling) >= 0))
    EXECUTE FUNCTION nof0_refuse_row('sums, counts and times of trades cannot be read');
"""
DROP_RESULTS = "DROP TRIGGER version_results_can_be_read ON version_results;"

_SET_ASIDE = models.Q(exclusion__isnull=False)
_EQUITY = ("equity_usd", "realized_pnl_usd", "unrealized_pnl_usd")
TABLES = (
    *("symbols", "positions", "trades", "decision_journal", "conversation_messages", "equity_snapshots"),
    "record_exclusions",
)


class Migration(migrations.Migration):
    dependencies = [("trading", "0006_set_aside_rules")]

    operations = [
        moment("symbol", "symbols", "first_seen_at"),
        moment_ms("trade", "trades", "close_ts_ms", unless=_SET_ASIDE),
        moment("trade", "trades", "created_at", unless=_SET_ASIDE),
        moment("decisionjournal", "decision_journal", "decided_at", unless=_SET_ASIDE),
        moment("decisionjournal", "decision_journal", "created_at", unless=_SET_ASIDE),
        moment("conversationmessage", "conversation_messages", "sent_at"),
        moment_ms("equitysnapshot", "equity_snapshots", "ts_ms", unless=_SET_ASIDE),
        *(number("equitysnapshot", "equity_snapshots", column, unless=_SET_ASIDE) for column in _EQUITY),
        moment("recordexclusion", "record_exclusions", "at"),
        migrations.RunSQL(CHECKS, DROP_CHECKS),
        migrations.RunSQL(REFUSE, DROP_REFUSE),
        migrations.RunSQL(POSITIONS, DROP_POSITIONS),
        migrations.RunSQL(RESULTS, DROP_RESULTS),
        check_rows_from_before(TABLES),
    ]
