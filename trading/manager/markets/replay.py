"""A market whose prices stand in a file, for tests and for a day that is lived again.

Keys of market.yaml: `file`, a CSV file below the directory of market.yaml, and `begins`, a moment such as
2026-01-08T00:00:00Z at which its first row is valid; without it the rows are valid at the moments that they name.

The file has a head line and is sorted by time:

    time,symbol,price,open_interest,funding_rate
    2026-01-08T00:00:00Z,BTC,60000.5,12000,0.0000125

`open_interest` in units of the symbol and `funding_rate` of one interval, a fraction, may be empty or left out. A price
is valid from its row to the next row of its symbol; its moment is that of its row, so that a gap of the file is a stale
price, and nothing is traded at it.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from io import TextIOWrapper
from pathlib import Path

from traders.manager_yaml.yaml.source import UnreadableFile, open_regular
from traders.schema.messages import MessageError, TranslatableText, _, message_of
from traders.schema.symbols import is_symbol
from trading.manager.protocols import MarketSource, SeenPrice, SymbolContext
from trading.manager.providers import InvalidProvider, ProviderOptions

_NEEDED = ("time", "symbol", "price")
_COLUMNS = (*_NEEDED, "open_interest", "funding_rate")
# Where the reader puts what stands behind the last column.
_MORE = ""
LARGEST_FILE = 256 * 1024 * 1024
# Beyond any market; an order or a record of it could not be kept.
_LARGEST, _SMALLEST, _SMALLEST_PRICE = Decimal(10) ** 15, Decimal("1e-30"), Decimal("1e-12")
_LONGEST_NUMBER = 40
# A price that is so many times another one's is a slip of the file.
_LARGEST_CHANGE = Decimal(10) ** 6


class InvalidPriceFile(MessageError):
    """The text names the line."""


@dataclass(frozen=True, slots=True)
class PriceRow:
    at: datetime
    symbol: str
    price: Decimal
    open_interest: Decimal | None = None
    funding_rate: Decimal | None = None


@dataclass
class ReplayMarket:
    """`later`: how much later than its own moment each row is valid."""

    rows: Sequence[PriceRow]
    later: timedelta = timedelta(0)
    _by_symbol: dict[str, tuple[list[datetime], list[PriceRow]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            moments, rows = self._by_symbol.setdefault(row.symbol, ([], []))
            moments.append(row.at + self.later)
            rows.append(row)

    def prices(self, symbols: Sequence[str], now: datetime) -> dict[str, SeenPrice]:
        found = ((name, self._row(name, now)) for name in symbols)
        return {name: SeenPrice(name, row.price, row.at + self.later) for name, row in found if row is not None}

    def context(self, symbols: Sequence[str], now: datetime) -> dict[str, SymbolContext]:
        found = {}
        for name in symbols:
            if (row := self._row(name, now)) is not None:
                found[name] = SymbolContext(
                    name,
                    row.at + self.later,
                    row.open_interest,
                    row.funding_rate,
                    self._change(row, now - timedelta(hours=1)),
                    self._change(row, now - timedelta(hours=4)),
                )
        return found

    def symbols(self, now: datetime) -> list[str]:
        known = [row for name in self._by_symbol if (row := self._row(name, now)) is not None]
        return [row.symbol for row in sorted(known, key=lambda row: (-_usd(row), row.symbol))]

    def _row(self, symbol: str, now: datetime) -> PriceRow | None:
        moments, rows = self._by_symbol.get(symbol, ([], []))
        place = bisect_right(moments, now)
        return rows[place - 1] if place else None

    def _change(self, row: PriceRow, since: datetime) -> Decimal | None:
        before = self._row(row.symbol, since)
        change = None if before is None else row.price / before.price - 1
        return None if change is None or change > _LARGEST_CHANGE else round(change, 6)


def market(options: ProviderOptions) -> MarketSource:
    """Raises InvalidProvider, also for a file that cannot be read."""
    name = options.text("file", "")
    path = (options.directory / name).resolve()
    if not name or not path.is_relative_to(options.directory.resolve()):
        raise options.wrong("file", _("a path below the directory of market.yaml"))
    try:
        rows = read_prices(path)
    except (OSError, InvalidPriceFile) as error:
        raise InvalidProvider(_("%(path)s: %(error)s", path=name, error=error)) from error
    try:
        return ReplayMarket(rows, _later(options, rows))
    except OverflowError:
        raise options.wrong("begins", _("so early that the last row has a moment")) from None


def read_prices(path: Path) -> list[PriceRow]:
    """Raises InvalidPriceFile with the line, and OSError."""
    if path.stat().st_size > LARGEST_FILE:
        raise InvalidPriceFile(_("is larger than %(most)s MB", most=LARGEST_FILE // 2**20))
    try:
        with TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="") as file:
            return parse_prices(file)
    except UnreadableFile as error:
        raise InvalidPriceFile(message_of(error)) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidPriceFile(_("is no CSV file in UTF-8: %(error)s", error=error)) from error


def parse_prices(lines: Iterable[str]) -> list[PriceRow]:
    """Raises InvalidPriceFile."""
    reader = csv.DictReader(lines, restkey=_MORE, strict=True)
    columns = reader.fieldnames or []
    if len(set(columns)) < len(columns):
        raise _wrong(1, _("a column is named twice"))
    for name in columns:
        if name not in _COLUMNS:
            raise _wrong(1, _("%(name)s is no column; those are %(names)s", name=name, names=", ".join(_COLUMNS)))
    for name in _NEEDED:
        if name not in columns:
            raise _wrong(1, _("the column %(name)s is missing", name=name))
    rows: list[PriceRow] = []
    for found in reader:
        row = _row_of(found, reader.line_num)
        if rows and row.at < rows[-1].at:
            raise _wrong(reader.line_num, _("the time is before that of the line above"))
        rows.append(row)
    if not rows:
        raise _wrong(1, _("there are no prices"))
    return rows


def _row_of(found: dict[str, str | None], line: int) -> PriceRow:
    if _MORE in found:
        raise _wrong(line, _("there are more values than columns"))
    symbol = (found["symbol"] or "").strip()
    if not is_symbol(symbol):
        raise _wrong(line, _("%(value)s is no symbol", value=repr(symbol)))
    price = _number(found, "price", line, _SMALLEST_PRICE)
    if price is None or price <= 0:
        raise _wrong(line, _("the price must be above 0"))
    open_interest = _number(found, "open_interest", line)
    if open_interest is not None and open_interest < 0:
        raise _wrong(line, _("open_interest must not be below 0"))
    return PriceRow(
        _moment(found["time"] or "", line),
        symbol,
        price,
        open_interest,
        _number(found, "funding_rate", line),
    )


def _number(found: dict[str, str | None], name: str, line: int, least: Decimal = _SMALLEST) -> Decimal | None:
    text = (found.get(name) or "").strip()
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise _wrong(line, _("%(name)s must be a number, was %(value)s", name=name, value=repr(text)))
    if len(text) > _LONGEST_NUMBER or not (number == 0 or least <= abs(number) <= _LARGEST):
        raise _wrong(line, _("%(name)s is beyond any market: %(value)s", name=name, value=repr(text[:_LONGEST_NUMBER])))
    return number or Decimal(0)


def _moment(text: str, line: int) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _wrong(line, _("the time must be a moment such as 2026-01-08T10:30:00Z, was %(value)s", value=repr(text)))
    return found


def _later(options: ProviderOptions, rows: Sequence[PriceRow]) -> timedelta:
    text = options.text("begins", "")
    if not text:
        return timedelta(0)
    try:
        return _moment(text, 0) - rows[0].at
    except InvalidPriceFile:
        raise options.wrong("begins", _("a moment such as 2026-01-08T00:00:00Z")) from None


def _usd(row: PriceRow) -> Decimal:
    return (row.open_interest or Decimal(0)) * row.price


def _wrong(line: int, message: TranslatableText) -> InvalidPriceFile:
    return InvalidPriceFile(_("line %(line)s: %(message)s", line=line, message=message))
