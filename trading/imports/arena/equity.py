"""account-totals.json, since-inception-values.json and leaderboard.json: a trader's equity at a moment."""

from __future__ import annotations

from decimal import Decimal

from traders.schema import moments
from traders.schema.jsonio import Json
from traders.schema.messages import _
from traders.schema.moments import EARLIEST_MS
from traders.schema.strict_json import MOST_DIGITS
from trading.imports.arena import fields
from trading.imports.arena.unreadable_file import shown
from trading.record.rules.errors import InvalidRecord
from trading.schema.facts import EquityPoint
from trading.schema.leaf import LARGEST

TOTALS_KEY, INCEPTION_KEY, LEADERBOARD_KEY = "accountTotals", "sinceInceptionValues", "leaderboard"
SOURCE = "imported"


def read_account(record: Json) -> EquityPoint | None:
    """A row of account-totals; None where an export of ours made it of trades. Raises InvalidRecord."""
    record = fields.require_object(record)
    if record.get("derived") is True:
        return None
    return EquityPoint(
        fields.trader_id(record),
        fields.moment_ms(record, "timestamp"),
        money(fields.number(record, "dollar_equity"), "dollar_equity"),
        SOURCE,
        _money_or_none(record, "realized_pnl"),
        _money_or_none(record, "total_unrealized_pnl"),
    )


def read_inception(record: Json) -> EquityPoint:
    """What the trader began with. Raises InvalidRecord."""
    record = fields.require_object(record)
    trader_id, equity = (
        fields.trader_id(record),
        money(fields.number(record, "nav_since_inception"), "nav_since_inception"),
    )
    return EquityPoint(trader_id, fields.moment_ms(record, "inception_date"), equity, SOURCE)


def read_standing(record: Json, served_ms: int) -> EquityPoint:
    """A row of the leaderboard, which itself does not say of when it is. Raises InvalidRecord."""
    record = fields.require_object(record)
    equity = money(fields.number(record, "equity"), "equity")
    return EquityPoint(fields.trader_id(record, "id"), served_ms, equity, SOURCE)


def served_ms(server_time: Json) -> int | None:
    """`serverTime` is in milliseconds, unlike every other time of the arena."""
    if isinstance(server_time, bool) or not isinstance(server_time, int):
        return None
    return server_time if EARLIEST_MS <= server_time <= moments.latest_ms() else None


def _money_or_none(record: fields.Record, field: str) -> Decimal | None:
    value = fields.number_or_none(record, field)
    return None if value is None else money(value, field)


def money(value: Decimal, field: str) -> Decimal:
    """Raises InvalidRecord for what is no amount."""
    _sign, digits, exponent = value.as_tuple()
    if not -LARGEST <= value <= LARGEST or len(digits) > MOST_DIGITS or int(exponent) < -MOST_DIGITS:
        raise InvalidRecord(field, _("must be an amount in USD, was %(value)s", value=shown(value)))
    return value
