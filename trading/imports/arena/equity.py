"""since-inception-values.json and leaderboard.json: a trader's equity at a moment."""

from __future__ import annotations

from decimal import Decimal

from traders.schema import moments
from traders.schema.jsonio import Json
from traders.schema.messages import _
from traders.schema.moments import EARLIEST_MS
from traders.schema.strict_json import MOST_DIGITS
from trading.imports.arena import fields
from trading.imports.arena.broken import shown
from trading.record.rules.errors import InvalidRecord
from trading.schema.facts import EquityPoint
from trading.schema.leaf import LARGEST

INCEPTION_KEY, LEADERBOARD_KEY = "sinceInceptionValues", "leaderboard"
SOURCE = "imported"


def read_inception(record: Json) -> EquityPoint:
    """What the trader began with. Raises InvalidRecord."""
    record = fields.require_object(record)
    trader_id, equity = (
        fields.trader_id(record),
        _money(fields.number(record, "nav_since_inception"), "nav_since_inception"),
    )
    return EquityPoint(trader_id, fields.moment_ms(record, "inception_date"), equity, SOURCE)


def read_standing(record: Json, served_ms: int) -> EquityPoint:
    """A row of the leaderboard, which itself does not say of when it is. Raises InvalidRecord."""
    record = fields.require_object(record)
    equity = _money(fields.number(record, "equity"), "equity")
    return EquityPoint(fields.trader_id(record, "id"), served_ms, equity, SOURCE)


def served_ms(server_time: Json) -> int | None:
    """`serverTime` is in milliseconds, unlike every other time of the arena."""
    if isinstance(server_time, bool) or not isinstance(server_time, int):
        return None
    return server_time if EARLIEST_MS <= server_time <= moments.latest_ms() else None


def _money(value: Decimal, field: str) -> Decimal:
    _sign, digits, exponent = value.as_tuple()
    if abs(value) > LARGEST or len(digits) > MOST_DIGITS or int(exponent) < -MOST_DIGITS:
        raise InvalidRecord(field, _("must be an amount in USD, was %(value)s", value=shown(value)))
    return value
