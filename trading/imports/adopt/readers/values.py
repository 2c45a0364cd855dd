"""Single values of a row. What has one meaning is normalised; anything else raises InvalidRecord with its column."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from traders.schema import moments
from traders.schema.messages import _
from traders.schema.moments import EARLIEST_MS, LATEST_MS, YEARS
from traders.schema.settings.trader import ID_PATTERN, ID_RULE
from traders.schema.symbols import SYMBOL_RULE, is_symbol
from trading.imports.arena.unreadable_file import shown
from trading.record.rules.errors import InvalidRecord
from trading.schema.common import Side

Row = Mapping[str, Any]
Ids = Mapping[str, str]
"""{id at the source: id here} of the traders that are renamed."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
# What a number of seconds, milliseconds, microseconds or nanoseconds must be multiplied with; our years are apart.
_UNITS = (Decimal(1000), Decimal(1), Decimal("1e-3"), Decimal("1e-6"))


def unchanged(row: Row) -> Row:
    """Of a generation whose columns are those that the readers know."""
    return row


def given(row: Row, column: str) -> Any:
    value = row.get(column)
    if value is None:
        raise InvalidRecord(column, _("is required"))
    return value


def trader_id(row: Row, ids: Ids, column: str = "model_id") -> str:
    value = given(row, column)
    name = ids.get(value, value)
    if not isinstance(name, str) or not ID_PATTERN.fullmatch(name):
        raise InvalidRecord(
            column,
            _(
                "must be %(right)s, was %(value)s; --map %(value)s=NEW gives it another id",
                right=ID_RULE,
                value=shown(value),
            ),
        )
    return name


def symbol(row: Row, column: str = "symbol") -> str:
    value = given(row, column)
    name = value.strip() if isinstance(value, str) else ""
    if not is_symbol(name):
        raise InvalidRecord(column, _("must be %(right)s, was %(value)s", right=SYMBOL_RULE, value=shown(value)))
    return name


def side(row: Row, quantity: Decimal, column: str = "side") -> Side:
    """In small letters. A negative quantity must be that of a short."""
    value = given(row, column)
    said = value.strip().lower() if isinstance(value, str) else ""
    if said not in tuple(Side):
        raise InvalidRecord(column, _("must be long or short, was %(value)s", value=shown(value)))
    if quantity < 0 and said != Side.SHORT:
        raise InvalidRecord(
            "quantity", _("is %(quantity)s, but the side is %(side)s", quantity=f"{quantity:f}", side=value)
        )
    return Side(said)


def number(row: Row, column: str) -> Decimal:
    found = number_or_none(row, column)
    if found is None:
        raise InvalidRecord(column, _("is required"))
    return found


def number_or_none(row: Row, column: str) -> Decimal | None:
    value = row.get(column)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise InvalidRecord(column, _("must be a number, was %(value)s", value=shown(value)))
    found = Decimal(value)
    if not found.is_finite():
        raise InvalidRecord(column, _("must be a finite number, was %(value)s", value=shown(found)))
    return found


def confidence(row: Row, *, is_of_engine: bool) -> Decimal | None:
    """0 to 100. The engine writes whole numbers from 0 to 100, published files have fractions of 1. Anything else is
    kept as it came."""
    value = number_or_none(row, "confidence")
    if value is None or not 0 <= value <= 100:
        return None
    if is_of_engine:
        return value if value == value.to_integral_value() else None
    return value * 100 if value <= 1 else None


def moment_ms(row: Row, column: str) -> int:
    """Milliseconds since 1970. Seconds, micro- and nanoseconds are recognised by their size, timestamps read too."""
    value = given(row, column)
    if isinstance(value, datetime):
        ms = (value - _EPOCH) // _MS
    else:
        amount = number(row, column)
        ms = next((int(amount * unit) for unit in _UNITS if EARLIEST_MS <= amount * unit <= LATEST_MS), 0)
    if not EARLIEST_MS <= ms <= LATEST_MS:
        raise InvalidRecord(
            column, _("must be milliseconds since 1970, %(years)s, was %(value)s", years=YEARS, value=shown(str(value)))
        )
    if (found := moments.ahead(column, ms, str(value))) is not None:
        raise InvalidRecord(column, found.message)
    return ms


def moment(row: Row, column: str) -> datetime | None:
    """A timestamp of the row; None where it has none, or one outside of our years."""
    value = row.get(column)
    if not isinstance(value, datetime) or not EARLIEST_MS <= (value - _EPOCH) // _MS <= moments.latest_ms():
        return None
    return value


def as_json(value: Any) -> Any:
    """The value of a column as JSON has it: moments, also those in arrays, as texts."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: as_json(inner) for name, inner in value.items()}
    return [as_json(inner) for inner in value] if isinstance(value, list) else value


def text_or_none(row: Row, column: str) -> str | None:
    value = row.get(column)
    return value if isinstance(value, str) and value.strip() else None


def of_ms(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)
