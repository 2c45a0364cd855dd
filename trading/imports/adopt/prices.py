"""`price_ticks` of the other database: one row a day of a symbol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date
from itertools import groupby
from pathlib import Path
from typing import Any

from trading.imports.adopt.move import Move, batches, row_id
from trading.imports.adopt.readers.prices import PriceTick, read_tick
from trading.imports.adopt.readers.values import of_ms
from trading.models import PriceHistory
from trading.record.rules.errors import InvalidRecord

TABLE, HISTORY = "price_ticks", "price_history"
DAYS = 50
_ARRAYS = ("moments_ms", "prices", "volumes", "opens", "highs", "lows")

Day = tuple[str, str, str, date]
"""(provider, symbol, interval, day in UTC)."""


def adopt_prices(move: Move) -> None:
    """Adds the prices that are not stored; those of a day that is stored join it."""
    if TABLE not in move.source.tables:
        return
    for part in batches(_days(move), DAYS):
        report = move.report.table(HISTORY)
        stored = _stored([day for day, _ticks in part])
        rows = []
        for day, ticks in part:
            known = stored.get(day, ())
            every = sorted({*known, *ticks})
            report.known += len(ticks) - (len(every) - len(known))
            report.inserted += len(every) - len(known)
            if len(every) != len(known):
                rows.append(_row(day, every))
        move.report.price_days += len(rows)
        PriceHistory.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["provider", "symbol", "interval", "day"],
            update_fields=list(_ARRAYS),
        )


def _days(move: Move) -> Iterator[tuple[Day, list[PriceTick]]]:
    for (provider, symbol, day), ticks in groupby(_ticks(move), key=lambda one: (one[0], one[1], one[2])):
        by_interval: dict[str, set[PriceTick]] = {}
        for _provider, _symbol, _day, interval, tick in ticks:
            by_interval.setdefault(interval, set()).add(tick)
        for interval, found in sorted(by_interval.items()):
            yield (provider, symbol, interval, day), sorted(found)


def _ticks(move: Move) -> Iterator[tuple[str, str, date, str, PriceTick]]:
    order = ("provider", "exchange_provider", "symbol", "ts_ms", "event_at", "id")
    for row in move.source.table(TABLE, order=order):
        try:
            provider, symbol, interval, tick = read_tick(row)
        except InvalidRecord as error:
            move.context.refuse(HISTORY, Path(TABLE), row_id(row), error, row)
            continue
        yield provider, symbol, of_ms(tick.at_ms).astimezone(UTC).date(), interval, tick


def _stored(days: Sequence[Day]) -> dict[Day, list[PriceTick]]:
    found = PriceHistory.objects.filter(
        provider__in={day[0] for day in days}, symbol__in={day[1] for day in days}, day__in={day[3] for day in days}
    )
    wanted = set(days)
    return {
        (row.provider, row.symbol, row.interval, row.day): [
            PriceTick(*parts) for parts in zip(*(getattr(row, name) for name in _ARRAYS), strict=True)
        ]
        for row in found
        if (row.provider, row.symbol, row.interval, row.day) in wanted
    }


def _row(day: Day, ticks: Sequence[PriceTick]) -> PriceHistory:
    provider, symbol, interval, date_ = day
    arrays: dict[str, Any] = {name: [tick[place] for tick in ticks] for place, name in enumerate(_ARRAYS)}
    return PriceHistory(provider=provider, symbol=symbol, interval=interval, day=date_, **arrays)
