"""An exit may be at the price 0: exchanges settle and delist symbols at nothing. An entry may not."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations

from migrations.stored_rules import check_rows_after_a_step_back, check_rows_from_before

_BEFORE = import_module("migrations.trading.0007_rows_that_can_be_read")
_EVENTS = import_module("migrations.trading.0010_events_are_added")
FROM_0, ABOVE_0 = _BEFORE.FROM_0, _BEFORE.ABOVE_0

_PRICES = {"avg_entry": ABOVE_0, "avg_exit": FROM_0}
_FILLS = _BEFORE.PARTS["trades"]["fills"] | {"price": FROM_0}
_EVENT = _EVENTS.RULES["positions_events_can_be_read"][2]
_ENTERED_AT_0 = """detail @? '$.fills ? (@.type == "entry" && @.price == 0)'"""
_INCREASED_AT_0 = """detail @? '$.events ? (@.price == 0 && (@.kind == "open" || @.kind == "increase"))'"""


def _rule(table: str, name: str, broken: str) -> str:
    return f"""
ALTER TABLE {table} DROP CONSTRAINT {name},
    ADD CONSTRAINT {name} CHECK (exclusion_id IS NOT NULL OR NOT ({broken})) NOT VALID;"""


def _rules(prices: dict[str, str], fills: dict[str, str], event: dict[str, str], *also: str) -> str:
    at_0, increased = (f" OR {part}" for part in also) if also else ("", "")
    return (
        _rule("trades", "trades_prices_can_be_read", _BEFORE._is_broken("prices", prices))
        + _rule("trades", "trades_fills_can_be_read", f"{_BEFORE._is_broken('fills', fills)}{at_0}")
        + _rule("positions", "positions_events_can_be_read", f"{_BEFORE._is_broken('events', event)}{increased}")
    )


def _whole(exit_price: str) -> str:
    return f"""
ALTER TABLE trades DROP CONSTRAINT trades_detail_whole,
    ADD CONSTRAINT trades_detail_whole CHECK (
        coalesce(jsonb_typeof(detail #> '{{pnl,net}}') = 'number' AND jsonb_typeof(detail #> '{{pnl,gross}}') = 'number'
            AND jsonb_typeof(detail #> '{{pnl,commission}}') = 'number'
            AND (detail #>> '{{prices,avg_entry}}')::numeric > 0 AND (detail #>> '{{prices,avg_exit}}')::numeric {exit_price}
            AND (detail #>> '{{quantity,total}}')::numeric > 0, false)) NOT VALID;"""


def _close_triggers(price: str) -> str:
    """Those of 0007, with another rule for the price of a close."""
    facts = " OR ".join(
        f"jsonb_typeof(NEW.detail #> '{{close,{name}}}') IS DISTINCT FROM 'number'" for name in _BEFORE.FACTS
    )
    leaves = _BEFORE.CLOSE | {"price": price}
    broken = f"""({facts} OR {_BEFORE._is_broken("close", leaves, "NEW.")}
        OR (NEW.opened_ms BETWEEN {_BEFORE.EARLIEST_MS} AND {_BEFORE.LATEST_MS}
            AND NEW.detail @? '$ ? (@.close.time_ms < @.entry.time_ms)'))"""
    refuse = "nof0_refuse_row('detail.close: price, quantity and time_ms of the close, not before the entry')"
    return f"""
DROP TRIGGER positions_new_close_can_be_read ON positions;
DROP TRIGGER positions_close_can_be_read ON positions;
CREATE TRIGGER positions_new_close_can_be_read AFTER INSERT ON positions FOR EACH ROW
    WHEN (NEW.status = 'closed' AND {broken})
    EXECUTE FUNCTION {refuse};
CREATE TRIGGER positions_close_can_be_read AFTER UPDATE ON positions FOR EACH ROW
    WHEN (NEW.status = 'closed'
          AND (OLD.status <> 'closed' OR NEW.detail -> 'close' IS DISTINCT FROM OLD.detail -> 'close')
          AND {broken})
    EXECUTE FUNCTION {refuse};
"""


NEW = (
    _rules(_PRICES, _FILLS, _EVENT | {"price": FROM_0}, _ENTERED_AT_0, _INCREASED_AT_0)
    + _whole(">= 0")
    + _close_triggers(FROM_0)
)
# Rows that were settled at 0 stay, and break the old rules, which look at new rows alone.
OLD = (
    _rules(_BEFORE.PARTS["trades"]["prices"], _BEFORE.PARTS["trades"]["fills"], _EVENT)
    + _whole("> 0")
    + _close_triggers(ABOVE_0)
)


class Migration(migrations.Migration):
    dependencies = [("trading", "0014_funding_and_parts")]

    operations = [
        check_rows_after_a_step_back(["positions", "trades"]),
        migrations.RunSQL(NEW, OLD),
        check_rows_from_before(["positions", "trades"]),
    ]
