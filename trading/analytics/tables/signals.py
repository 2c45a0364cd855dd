"""signals_breakdown_table: what the model asked for, and how long it was long, short and flat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from trading.analytics.intervals import Held, Period, covered_ms, span
from trading.analytics.stats import Table, known, mean, median, percent, ratio, stdev
from trading.analytics.tables.breakdown import MINUTE_MS
from trading.schema.facts import DecisionFact, SignalFact

KINDS = {"open_long": "long", "open_short": "short", "close_long": "close", "close_short": "close", "hold": "hold"}


def table(
    signals: Sequence[SignalFact],
    decisions: Sequence[DecisionFact] = (),
    held: Sequence[Held] = (),
    period: Period | None = None,
) -> Table:
    """Waiting is no signal. Shares are in percent, confidences 0-1.

    `period`, for the minutes, is by default from the first decision to the last.
    """
    kinds: dict[str, list[SignalFact]] = {"long": [], "short": [], "close": [], "hold": []}
    for signal in signals:
        if signal.action in KINDS:
            kinds[KINDS[signal.action]].append(signal)
    every = [signal for kind in kinds.values() for signal in kind]
    result: Table = {"total_signals": len(every), "long_short_ratio": ratio(len(kinds["long"]), len(kinds["short"]))}
    for kind, some in kinds.items():
        result[f"num_{kind}_signals"] = len(some)
        result[f"{kind}_signal_pct"] = percent(len(some), len(every))
    return result | _confidence(kinds, every) | _leverage(kinds, every) | _minutes(signals, decisions, held, period)


def _confidence(kinds: dict[str, list[SignalFact]], every: list[SignalFact]) -> Table:
    result: Table = {"median_confidence": median(_confidences(every))}
    for ending, some in {"": every, **{f"_{kind}": some for kind, some in kinds.items()}}.items():
        values = _confidences(some)
        result |= {f"avg_confidence{ending}": mean(values), f"std_confidence{ending}": stdev(values)}
    return result


def _leverage(kinds: dict[str, list[SignalFact]], every: list[SignalFact]) -> Table:
    result: Table = {"median_leverage": median(leverages(every))}
    for ending, some in {"": every, "_long": kinds["long"], "_short": kinds["short"]}.items():
        values = leverages(some)
        result |= {f"avg_leverage{ending}": mean(values), f"std_leverage{ending}": stdev(values)}
    return result


def leverages(signals: Iterable[SignalFact]) -> list[float]:
    return known(signal.leverage for signal in signals)


def _confidences(signals: Iterable[SignalFact]) -> list[float]:
    return [value / 100 for value in known(signal.confidence for signal in signals)]


def _minutes(
    signals: Sequence[SignalFact], decisions: Sequence[DecisionFact], held: Sequence[Held], period: Period | None
) -> Table:
    """Combined over each trader's symbols, so a day with six symbols has 6 * 1440 minutes."""
    period = period or span((), decisions)
    books: dict[tuple[str, str], list[Held]] = {(signal.trader_id, signal.symbol): [] for signal in signals}
    for one in held:
        books.setdefault((one.trader_id, one.symbol), []).append(one)
    total = period.ms * len(books) if period else 0
    if not period or not total:
        names = ("long", "short", "flat")
        return {f"{start}_{name}_combined": None for start in ("mins", "pct_mins") for name in names}
    spent: dict[str, int] = defaultdict(int)
    for book in books.values():
        spent["long"] += covered_ms([one for one in book if one.side == "long"], period)
        spent["short"] += covered_ms([one for one in book if one.side == "short"], period)
        spent["flat"] += period.ms - covered_ms(book, period)
    minutes: Table = {f"mins_{name}_combined": ms / MINUTE_MS for name, ms in spent.items()}
    return minutes | {f"pct_mins_{name}_combined": percent(ms, total) for name, ms in spent.items()}
