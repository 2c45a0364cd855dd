"""Performance as people and programs read it: a table, JSON and CSV. The last two are at full precision."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from io import StringIO
from typing import Any

from traders.pages.csv_text import harmless
from traders.schema import jsonio
from trading.analytics.groups.grouping import Group
from trading.analytics.groups.keys import GroupBy
from trading.analytics.summary import SMALL_SAMPLE, Performance
from trading.schema.facts import SetAsideCounts

DASH = "-"
MINUTES_PER_HOUR = 60
HASH_DIGITS = 12
HEADS = (
    *(
        "trader",
        "part",
        "trades",
        "net USD",
        "gross USD",
        "fees USD",
        "funding USD",
        "win %",
        "profit factor",
        "USD per trade",
    ),
    *("Sharpe", "max drawdown %", "in market %", "avg held h"),
)
TEXT_COLUMNS = 2


def table(groups: Iterable[Group]) -> list[str]:
    """Aligned columns, a head, and what the marks mean."""
    found = list(groups)
    if not found:
        return ["No trade and no decision in that selection."]
    lines = [HEADS, *(_cells(group) for group in found)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    aligned = [
        "  ".join(
            cell.ljust(width) if column < TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return [*aligned, *_notes(found)]


def aside_lines(counts: SetAsideCounts) -> Iterator[str]:
    """`Set aside and counted nowhere: 3 trades, 1 decision`; nothing where there is none."""
    words = [
        f"{count:,} {word if count == 1 else f'{word}s'}"
        for word, count in (
            ("trade", counts.trades),
            ("position", counts.positions),
            ("decision", counts.decisions),
            ("equity point", counts.equity),
        )
        if count
    ]
    if words:
        yield f"Set aside and counted nowhere: {', '.join(words)}"


def json_lines(groups: Iterable[Group]) -> Iterator[str]:
    """One object a line: money digit for digit, ratios as computed, null where undefined."""
    for group in groups:
        facts: dict[str, Any] = {
            "by": group.by,
            "trader_id": group.trader_id,
            "part": group.value,
            "label": group.label,
        }
        facts["set_aside"] = dataclasses.asdict(group.set_aside)
        yield jsonio.dumps(facts | dataclasses.asdict(group.performance))


def csv_lines(groups: Iterable[Group]) -> Iterator[str]:
    """The headline figures, without the tables. A text that a spreadsheet would run is led by an apostrophe."""
    head: list[str] | None = None
    for group in groups:
        flat = {"by": str(group.by), "trader_id": group.trader_id, "part": group.value, "label": group.label}
        flat |= _flat(group.performance)
        flat |= {f"set_aside.{name}": count for name, count in dataclasses.asdict(group.set_aside).items()}
        if head is None:
            head = list(flat)
            yield _csv_line(head)
        yield _csv_line(["" if value is None else _harmless(value) for value in flat.values()])


def _cells(group: Group) -> tuple[str, ...]:
    done, held = group.performance, group.performance.holding.avg_mins
    drawdown = done.max_drawdown
    marks = ("*" if done.is_small else "") + ("~" if done.straddling else "") + ("?" if done.funding_unknown else "")
    return (
        group.trader_id or "all",
        f"{_part(group)}{marks}",
        f"{done.trades:,}",
        *(f"{amount:,.2f}" for amount in (done.net, done.gross, done.fees, done.funding)),
        *(_figure(ratio) for ratio in (done.win_rate_pct, done.profit_factor, done.expectancy_usd, done.sharpe)),
        f"{_figure(drawdown.depth_pct)} {drawdown.series}" if drawdown else DASH,
        _figure(done.exposure_pct),
        _figure(None if held is None else held / MINUTES_PER_HOUR),
    )


def _part(group: Group) -> str:
    if group.by is GroupBy.TRADER:
        return "whole record"
    return group.label[:HASH_DIGITS] if group.by is GroupBy.PROMPT else group.label


def _notes(groups: Sequence[Group]) -> Iterator[str]:
    if any(group.performance.is_small for group in groups):
        yield f"* fewer than {SMALL_SAMPLE} trades: the ratios say little"
    if any(group.performance.straddling for group in groups):
        yield "~ some trades were closed under another version; they count where they were opened"
    # A trade is in one line, unless the parts are of versions of families.
    if unknown := sum(group.performance.funding_unknown for group in groups):
        yield f"? without funding that was due and is not known: {unknown:,} {'trade' if unknown == 1 else 'trades'}"


def _figure(value: float | None) -> str:
    return DASH if value is None else f"{value:,.2f}"


def _flat(done: Performance) -> dict[str, Any]:
    """Dotted names for parts of parts; the tables are left to JSON."""
    flat: dict[str, Any] = {}
    for field in dataclasses.fields(done):
        value = getattr(done, field.name)
        if field.name == "tables":
            continue
        if field.name in ("period", "max_drawdown", "holding"):
            names = _PARTS[field.name]
            flat |= {f"{field.name}.{name}": None if value is None else getattr(value, name) for name in names}
        else:
            flat[field.name] = value
    return flat


_PARTS = {
    "period": ("from_ms", "to_ms"),
    "max_drawdown": ("series", "depth_pct", "depth_usd", "from_ms", "to_ms", "recovered_ms", "duration_ms"),
    "holding": ("avg_mins", "median_mins", "std_mins", "min_mins", "max_mins"),
}


def _harmless(value: Any) -> str:
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return harmless(text) if isinstance(value, str) else text


def _csv_line(cells: Sequence[str]) -> str:
    out = StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()
