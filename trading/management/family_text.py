"""A family's comparison as people and programs read it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from traders.schema import jsonio
from trading.analytics.summary import SMALL_SAMPLE
from trading.family.rules import FamilyComparison, FamilyLine

_HEADS = (
    *("trader", "version", "trades", "return %", "net USD", "drawdown %", "win %", "commission USD", "model USD"),
    *("in market %", "refused"),
)
_TEXT_COLUMNS = 2
_DASH = "-"


def family_table(found: FamilyComparison) -> Iterator[str]:
    """Aligned columns, with the period above and what the marks mean below."""
    if found.period is None:
        yield "No member of the family has decided or reported equity."
        return
    shown = " - ".join(f"{_moment(at):%Y-%m-%d %H:%M:%S} UTC" for at in (found.period.from_ms, found.period.to_ms))
    yield f"In common: {shown}" if found.is_common else f"Never at the same time. All together: {shown}"
    rows = [_HEADS, *map(_cells, found.lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    for row in rows:
        cells = (
            cell.ljust(width) if column < _TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
    if any(line.performance.is_small for line in found.lines):
        yield f"* fewer than {SMALL_SAMPLE} trades: the figures say little"
    if any(line.performance.funding_unknown for line in found.lines):
        yield "? with trades without funding that was due and is not known"


def family_json(found: FamilyComparison) -> Iterator[str]:
    """One object a line: a trader (`version` null), or a version of it. Money digit for digit, null where undefined."""
    period = dataclasses.asdict(found.period) if found.period else None
    for line in found.lines:
        told = {
            "trader_id": line.member.trader_id,
            "version": line.version,
            "paper_capital_usd": line.member.paper_capital_usd,
            "cloned_from": _origin(line),
            "period": period,
            "is_common": found.is_common,
            "return_pct": line.return_pct,
            "decisions": line.use.decisions,
            "refused": line.use.refused,
            "model_cost_usd": line.use.model_cost_usd,
            "performance": dataclasses.asdict(line.performance),
        }
        yield jsonio.dumps(told)


def _origin(line: FamilyLine) -> dict[str, str | int] | None:
    origin = line.member.cloned_from
    return {"trader_id": origin[0], "version": origin[1]} if origin else None


def _cells(line: FamilyLine) -> tuple[str, ...]:
    done, use = line.performance, line.use
    mark = ("*" if done.is_small else "") + ("?" if done.funding_unknown else "")
    name = line.member.trader_id + (" (paper)" if line.member.is_variant else "")
    return (
        name if line.version is None else "",
        "" if line.version is None else f"v{line.version}",
        f"{done.trades:,}{mark}",
        _figure(line.return_pct),
        f"{done.net:,.2f}",
        _figure(done.max_drawdown.depth_pct if done.max_drawdown else None),
        _figure(done.win_rate_pct),
        f"{done.fees:,.2f}",
        _figure(use.model_cost_usd),
        _figure(done.exposure_pct),
        f"{use.refused:,} of {use.decisions:,}",
    )


def _figure(value: float | Decimal | None) -> str:
    return _DASH if value is None else f"{value:,.2f}"


def _moment(ts_ms: int) -> datetime:
    return datetime.fromtimestamp(ts_ms / 1000, UTC)
