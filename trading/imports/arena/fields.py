"""Single values of a record, held to what the arena's contract says of them. Each raises InvalidRecord."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from traders.schema import moments
from traders.schema.jsonio import Json
from traders.schema.messages import _
from traders.schema.settings.trader import ID_PATTERN, ID_RULE
from traders.schema.symbols import SYMBOL_RULE, is_symbol
from trading.imports.arena.stream import AmbiguousRecord
from trading.imports.arena.unreadable_file import shown
from trading.record.rules.errors import InvalidRecord
from trading.schema.common import Side
from trading.schema.contract import TRADER
from trading.schema.leaf import LARGEST_IDENTIFIER
from trading.schema.trade import MS_PER_SECOND

Record = Mapping[str, Json]
# Longer than that of any exchange.
LONGEST_ID = 128
# 2010 to 2099 in seconds. Milliseconds, of which the arena's own `serverTime` is one, lie far above.
EARLIEST_S, LATEST_S = 1_262_304_000, 4_102_444_800
NO_ORDER = -1


def require_object(record: Json, field: str = "") -> Record:
    if isinstance(record, AmbiguousRecord):
        raise InvalidRecord(record.place, _("holds the key %(twice)s twice", twice=shown(record.key)))
    if not isinstance(record, dict):
        raise InvalidRecord(field, _("must be an object, was %(value)s", value=shown(record)))
    return record


def given(record: Record, field: str) -> Json:
    if record.get(field) is None:
        raise InvalidRecord(field, _("is required"))
    return record[field]


def text(record: Record, field: str) -> str:
    value = given(record, field)
    if not isinstance(value, str):
        raise InvalidRecord(field, _("must be a text, was %(value)s", value=shown(value)))
    return value


def number(record: Record, field: str) -> Decimal:
    return _number(given(record, field), field)


def number_or_none(record: Record, field: str) -> Decimal | None:
    value = record.get(field)
    return None if value is None else _number(value, field)


def number_or_kept(record: Record, field: str) -> Decimal | None:
    """None for what is no number as well: of trades and positions it is kept as the source wrote it (`remains`)."""
    value = record.get(field)
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return _number(value, field) if is_number else None


def trader_id(record: Record, field: str = TRADER) -> str:
    value = text(record, field)
    if not ID_PATTERN.fullmatch(value):
        raise InvalidRecord(field, _("must be %(right)s, was %(value)s", right=ID_RULE, value=shown(value)))
    return value


def symbol(record: Record, field: str = "symbol") -> str:
    value = text(record, field)
    if not is_symbol(value):
        raise InvalidRecord(field, _("must be %(right)s, was %(value)s", right=SYMBOL_RULE, value=shown(value)))
    return value


def side_of(record: Record, quantity: Decimal) -> Side:
    """The sign says the side; a `side` beside it must say the same."""
    signed = Side.SHORT if quantity < 0 else Side.LONG
    if record.get("side") is None:
        return signed
    said = record["side"].lower() if isinstance(record["side"], str) else record["side"]
    if said not in tuple(Side):
        raise InvalidRecord("side", _("must be long or short, was %(value)s", value=shown(record["side"])))
    if quantity and said != signed:
        raise InvalidRecord(
            "quantity",
            _(
                "is %(quantity)s, but the side is %(side)s: longs are positive on the wire",
                quantity=f"{quantity:f}",
                side=record["side"],
            ),
        )
    return Side(said)


def moment_ms(record: Record, field: str) -> int:
    """Seconds since 1970 as milliseconds; finer digits are dropped; the source's own number may be kept beside it."""
    value = given(record, field)
    right = _("must be seconds since 1970 as a number")
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise InvalidRecord(field, _("%(right)s, was %(value)s", right=right, value=shown(value)))
    # A comparison with NaN raises.
    if isinstance(value, Decimal) and not value.is_finite():
        raise InvalidRecord(field, _("%(right)s, was %(value)s", right=right, value=value))
    if EARLIEST_S * MS_PER_SECOND <= value <= LATEST_S * MS_PER_SECOND:
        raise InvalidRecord(field, _("%(right)s; %(value)s are milliseconds", right=right, value=shown(value)))
    if not EARLIEST_S <= value <= LATEST_S:
        raise InvalidRecord(
            field, _("%(right)s, of a year from 2010 to 2099, was %(value)s", right=right, value=shown(value))
        )
    ms = int((value * Decimal(MS_PER_SECOND)).to_integral_value(ROUND_FLOOR))
    if (found := moments.ahead(field, ms, shown(value))) is not None:
        raise InvalidRecord(field, found.message)
    return ms


def identifier(record: Record, field: str) -> int | str | None:
    """Of an order or a fill; -1 and null stand for none. What is no identifier is kept as the source wrote it."""
    value = record.get(field)
    if isinstance(value, str):
        return value if value and value.isprintable() and len(value) <= LONGEST_ID else None
    if isinstance(value, Decimal):
        _number(value, field)
    if isinstance(value, bool) or not isinstance(value, int) or value == NO_ORDER:
        return None
    return value if abs(value) < LARGEST_IDENTIFIER else None


def confidence(record: Record) -> Decimal | None:
    """A fraction from 0 to 1 on the wire, 0 to 100 as it is stored; another unit is kept as the source wrote it."""
    value = number_or_kept(record, "confidence")
    return value * 100 if value is not None and 0 <= value <= 1 else None


def _number(value: Any, field: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise InvalidRecord(field, _("must be a number, was %(value)s", value=shown(value)))
    number = Decimal(value)
    if not number.is_finite():
        raise InvalidRecord(field, _("must be a finite number, and is far too large"))
    return number
