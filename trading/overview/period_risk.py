"""Sharpe and drawdown of traders in a period, from the highest, lowest and last equity of each of its days (UTC).

Days add up: the peak before a day and its lowest point give the fall between days, the day itself the fall within it.
So days that are over are read once and kept, whatever period asks for them next.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec
from django.core.cache import cache

from traders.database.apart import TookTooLong, time_limit
from trading.analytics import ratios
from trading.analytics.intervals import Period
from trading.analytics.returns import DAY_MS, equity_returns, tells_of_days
from trading.live.redis.outage import Client, outage
from trading.overview import queries
from trading.overview.curves import KEPT_SECONDS, SETTLED_MS, GainLine
from trading.overview.queries import EquitySpan, SpanAsked
from trading.schema.facts import EquityPoint

SPANS_AT_ONCE = 300
"""Of one statement."""
READ_SECONDS, LIMIT_MS = 0.5, 1_000
"""In one request, and of one statement: what is left is read by the next requests."""

_Days = dict[int, EquitySpan | None]
_days = msgspec.json.Decoder(_Days)


@dataclass(frozen=True, slots=True)
class PeriodRisk:
    """`drawdown_pct` is 0 to 100 of the peak of the index. None: undefined, as of too few days."""

    sharpe: float | None
    drawdown_pct: float | None


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a day in which the index is `factor` times the equity. `is_kept`: a whole day that is over."""

    asked: SpanAsked
    factor: Decimal
    is_kept: bool

    @property
    def day(self) -> int:
        return self.asked.since_ms // DAY_MS


def risks(lines: Sequence[GainLine], period: Period, exclusion: int) -> dict[str, PeriodRisk]:
    """{trader: its figures}, of those whose days are all known by the end of this request. A statement for each
    SPANS_AT_ONCE days that are not kept."""
    parts = {line.trader_id: list(_parts(line, period)) for line in lines if line.base_index is not None}
    key = cache.make_key(f"overview:days:{exclusion}")
    kept = _kept(key, {line.trader_id: _field(line) for line in lines if line.trader_id in parts})
    known = {
        part.asked: kept[name][part.day]
        for name, own in parts.items()
        for part in own
        if part.is_kept and part.day in kept.get(name, ())
    }
    missing = [part for own in parts.values() for part in own if part.asked not in known]
    found = _read([part.asked for part in missing])
    fresh: dict[str, _Days] = {}
    for part in missing:
        if part.is_kept and part.asked in found:
            fresh.setdefault(part.asked.trader_id, {})[part.day] = found[part.asked]
    _keep(
        key,
        {
            _field(line): kept.get(line.trader_id, {}) | fresh[line.trader_id]
            for line in lines
            if line.trader_id in fresh
        },
    )
    known |= found
    return {
        line.trader_id: _risk(line, parts[line.trader_id], known)
        for line in lines
        if line.trader_id in parts and all(part.asked in known for part in parts[line.trader_id])
    }


def _parts(line: GainLine, period: Period) -> Iterator[_Part]:
    """After the equity that it began with, up to the end of the period."""
    first, end = line.began_ms + 1, period.to_ms + 1
    settled_ms = time.time() * 1000 - SETTLED_MS
    for since_ms, until_ms, factor in line.steps:
        at = max(first, since_ms)
        while at < min(end, until_ms):
            day_end = (at // DAY_MS + 1) * DAY_MS
            upto = min(day_end, end, until_ms)
            asked = SpanAsked(line.trader_id, line.source, at, upto)
            yield _Part(asked, factor, is_kept=upto - at == DAY_MS and upto <= settled_ms)
            at = upto


def _risk(line: GainLine, parts: Sequence[_Part], known: Mapping[SpanAsked, EquitySpan | None]) -> PeriodRisk:
    assert line.base_index is not None
    peak, fall, ends = float(line.base_index), 0.0, dict[int, Decimal]()
    is_above_zero = peak > 0
    for part in parts:
        span, factor = known[part.asked], float(part.factor)
        if span is None:
            continue
        is_above_zero = is_above_zero and span.lowest > 0
        if peak > 0:
            fall = max(fall, span.fall, 1 - float(span.lowest) * factor / peak)
        peak = max(peak, float(span.highest) * factor)
        ends[part.day] = span.last * part.factor
    series = [EquityPoint(line.trader_id, line.began_ms, line.base_index)]
    series += [EquityPoint(line.trader_id, (day + 1) * DAY_MS - 1, index) for day, index in sorted(ends.items())]
    returns = equity_returns(series) if is_above_zero and tells_of_days(series) else None
    # What fell below zero lost all that it had.
    return PeriodRisk(ratios.sharpe(returns) if returns else None, min(100.0, 100 * fall) if ends else None)


def _read(asked: Sequence[SpanAsked]) -> dict[SpanAsked, EquitySpan | None]:
    """As many as may be read in one request, in their order."""
    found: dict[SpanAsked, EquitySpan | None] = {}
    until = time.monotonic() + READ_SECONDS
    for first in range(0, len(asked), SPANS_AT_ONCE):
        batch = asked[first : first + SPANS_AT_ONCE]
        try:
            with time_limit(LIMIT_MS):
                spans = queries.spans(batch)
        except TookTooLong:
            break
        found |= {one: spans.get(one) for one in batch}
        if time.monotonic() > until:
            break
    return found


def _field(line: GainLine) -> str:
    return f"{line.trader_id}|{line.source}"


def _kept(key: str, fields: Mapping[str, str]) -> dict[str, _Days]:
    """{trader: what Redis holds of its days}. One hash, so that one command reads it, of a cluster too."""
    if not fields:
        return {}

    def load(client: Client) -> list[bytes | None]:
        found: list[bytes | None] = client.hmget(key, list(fields.values()))
        return found

    nothing: list[bytes | None] = [None] * len(fields)
    texts = outage.attempt(load, nothing, what="read")
    return {name: _decoded(text) for name, text in zip(fields, texts, strict=True) if text}


def _keep(key: str, days: Mapping[str, _Days]) -> None:
    """What was recorded late shows when the whole hash has expired."""
    if not days:
        return

    def save(client: Client) -> None:
        client.hset(key, mapping={field: msgspec.json.encode(own) for field, own in days.items()})
        if client.ttl(key) < 0:
            client.expire(key, KEPT_SECONDS)

    outage.attempt(save, None, what="read")


def _decoded(text: bytes) -> _Days:
    try:
        return _days.decode(text)
    except msgspec.DecodeError:
        return {}
