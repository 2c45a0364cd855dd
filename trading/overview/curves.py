"""The equity of the fleet over a period, and what each trader gained in it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import msgspec
from django.core.cache import cache

from trading.analytics.flows import dietz, paid_in
from trading.analytics.intervals import Period
from trading.analytics.stats import exact_sum
from trading.live.redis.outage import Client, outage
from trading.overview import queries
from trading.overview.queries import TraderEdges
from trading.overview.ranges import moments_of, points_for, thinned
from trading.record.stored.equity import chains
from trading.schema.facts import EquityPoint, Flow

# What was recorded late, or imported, shows after this many seconds at most, as in the public documents.
KEPT_SECONDS = 600
# A moment so near may still get points, because engines report behind it.
SETTLED_MS = 600_000
ENDLESS_MS = 2**62
LOOKUPS_AT_ONCE = 30_000
"""Of points, in one request: a large fleet has a coarse curve at first, which the next requests refine."""


@dataclass(frozen=True, slots=True)
class GainLine:
    """What a trader gained in a period. `base_usd` is what it began the period with, `began_ms` when; `pct` is
    time-weighted, None where returns are undefined. In each of `steps` (from, until, factor) its index is so many times
    its equity; `base_index` is that of the base, None where there is none."""

    trader_id: str
    base_usd: Decimal
    began_ms: int
    last_usd: Decimal
    last_ms: int
    moved_usd: Decimal
    pct: Decimal | None
    source: str = ""
    base_index: Decimal | None = None
    steps: tuple[tuple[int, int, Decimal], ...] = ()

    @property
    def gained_usd(self) -> Decimal:
        return self.last_usd - self.base_usd - self.moved_usd


@dataclass(frozen=True, slots=True)
class FleetGain:
    """Of traders together: what began within the period counts as paid in. `pct` is Modified Dietz over the whole."""

    last_usd: Decimal
    gained_usd: Decimal
    pct: Decimal | None


def gains(edges: Mapping[str, TraderEdges], flows: Mapping[str, Sequence[Flow]], period: Period) -> list[GainLine]:
    """By trader. Three statements more where there were transfers within the period."""
    found = {}
    for name, edge in edges.items():
        began = (edge.before_ms, edge.before) if edge.before is not None else (edge.first_ms, edge.first)
        if began[0] is None or began[1] is None:
            continue
        moved = paid_in(flows.get(name, ()), began[0], edge.last_ms)
        pct = 100 * (edge.last - began[1]) / began[1] if began[1] > 0 else None
        found[name] = GainLine(
            trader_id=name,
            base_usd=began[1],
            began_ms=max(began[0], period.from_ms),
            last_usd=edge.last,
            last_ms=edge.last_ms,
            moved_usd=moved,
            pct=pct,
            source=edge.source,
            base_index=began[1] if began[1] > 0 else None,
            steps=((0, ENDLESS_MS, Decimal(1)),),
        )
    moving = {name: flows[name] for name, line in found.items() if _has_flows(flows.get(name, ()), edges[name])}
    series = chains.series_of(moving)
    for name in moving:
        found[name] = _weighted(found[name], edges[name], series.get(name))
    return list(found.values())


def of_fleet(lines: Sequence[GainLine], flows: Mapping[str, Sequence[Flow]], period: Period) -> FleetGain:
    if not lines:
        return FleetGain(Decimal(0), Decimal(0), None)
    last, gained = (exact_sum(getattr(line, name) for line in lines) for name in ("last_usd", "gained_usd"))
    # Before the first trader began there was nothing to earn on, which would only thin out its return.
    from_ms = max(period.from_ms, min(line.began_ms for line in lines))
    moved = [Flow(line.trader_id, line.began_ms, line.base_usd) for line in lines if line.began_ms > from_ms]
    for line in lines:
        moved += [
            flow
            for flow in flows.get(line.trader_id, ())
            if not flow.is_start and line.began_ms < flow.ts_ms <= line.last_ms
        ]
    before = EquityPoint("", from_ms, exact_sum(line.base_usd for line in lines if line.began_ms <= from_ms))
    part = dietz(before, EquityPoint("", max(period.to_ms, from_ms + 1), last), moved)
    return FleetGain(last, gained, None if part is None else 100 * part)


def fleet_curve(
    edges: Mapping[str, TraderEdges], retired: Collection[str], period: Period, exclusion: int
) -> tuple[list[int], list[Decimal | None]]:
    """(moments in ms, equity in USD), the end of the period last. A trader whose reports ceased keeps its last equity;
    a retired one counts until its last point."""
    series = {name: (edge.source, edge.last_ms if name in retired else ENDLESS_MS) for name, edge in edges.items()}
    moments = moments_of(period, points_for(len(series)))
    if not series or not moments:
        return [], []
    name = hashlib.blake2b(repr((sorted(series.items()), exclusion)).encode(), digest_size=16).hexdigest()
    step = moments[1] - moments[0] if len(moments) > 1 else 0
    most = max(2, LOOKUPS_AT_ONCE // len(series))
    sums = _kept(f"equity:{name}:{step}", moments, most, lambda missing: queries.sums_at(series, missing))
    now = [edge.last for key, edge in edges.items() if key not in retired]
    known = [at for at in moments if at in sums]
    return [*known, period.to_ms], [*(sums[at] for at in known), exact_sum(now) if now else None]


class _Kept(msgspec.Struct):
    """Sums by moment, to be computed again after `until` (since 1970)."""

    until: float
    sums: dict[int, Decimal | None]


def _kept(
    name: str, moments: Sequence[int], most: int, read: Callable[[Sequence[int]], Mapping[int, Decimal]]
) -> dict[int, Decimal | None]:
    """What Redis holds of a curve, and of the rest at most so many moments, evenly spread and read. Without Redis
    these alone."""
    key = cache.make_key(f"overview:{name}")

    def load(client: Client) -> bytes | None:
        found: bytes | None = client.get(key)
        return found

    known = _decoded(outage.attempt(load, None, what="read"))
    missing = thinned([at for at in moments if at not in known.sums], most)
    found = read(missing)
    whole = known.sums | {at: found.get(at) for at in missing}
    settled_ms = time.time() * 1000 - SETTLED_MS
    kept = _Kept(known.until, {at: equity for at, equity in whole.items() if at <= settled_ms})
    if len(kept.sums) > len(known.sums):
        text, seconds = msgspec.json.encode(kept), max(1, int(known.until - time.time()))
        outage.attempt(lambda client: client.set(key, text, ex=seconds), None, what="read")
    return whole


def _decoded(text: bytes | None) -> _Kept:
    """An empty one where nothing is kept, or something else."""
    try:
        return msgspec.json.decode(text, type=_Kept) if text else _Kept(time.time() + KEPT_SECONDS, {})
    except msgspec.DecodeError:
        return _Kept(time.time() + KEPT_SECONDS, {})


def _has_flows(flows: Sequence[Flow], edge: TraderEdges) -> bool:
    began = edge.before_ms if edge.before_ms is not None else edge.first_ms
    return began is not None and any(not flow.is_start and began < flow.ts_ms <= edge.last_ms for flow in flows)


def _weighted(line: GainLine, edge: TraderEdges, series: chains.ChainedSeries | None) -> GainLine:
    """With the time-weighted return between its two edges."""
    chain = series.chain if series else None
    began_ms = edge.before_ms if edge.before_ms is not None else edge.first_ms
    if chain is None or began_ms is None or began_ms < chain.start.ts_ms:
        return replace(line, pct=None, base_index=None)
    begin = chain.index(began_ms, line.base_usd)
    if begin <= 0:
        return replace(line, pct=None, base_index=None)
    pct = 100 * (chain.index(edge.last_ms, edge.last) / begin - 1)
    return replace(line, pct=pct, base_index=begin, steps=tuple(chain.steps()))
