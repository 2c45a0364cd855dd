"""`python -m benchmarks.sizing`: computes the tables of docs/scale.md from docs/figures.json, and writes them there.

It measures nothing: `python -m benchmarks scale manager --write` does.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import figures
from benchmarks.report import DOCUMENT, Table

PAGE = DOCUMENT.with_name("scale.md")
SIZES = (100, 1_000, 10_000, 100_000)
# What a trader of this project's sample does: a decision every three minutes with a point of equity, five trades a day.
INTERVAL_SECONDS = 180
TRADES_A_DAY = 5
MESSAGES_A_DECISION = 2
DAY_SECONDS = 86_400
EXPORT_SECONDS = 60
GB = 1e9


@dataclass(frozen=True, slots=True)
class Unit:
    """What one thing costs, measured at a fleet of `traders`."""

    traders: float
    trade_bytes: float
    decision_bytes: float
    message_bytes: float
    equity_point_bytes: float
    export_idle_s: float
    export_first_s: float
    cycle_cpu_s: float


def main() -> None:
    found = figures.read()
    if missing := {"scale", "manager"} - found.keys():
        raise SystemExit(f"{figures.FILE} has no figures of {missing}: run python -m benchmarks scale manager --write")
    measured = found["manager"] | found["scale"]
    unit = Unit(**{name: float(measured[name]) for name in Unit.__dataclass_fields__})
    when = [str(found[section]["measured"]) for section in ("scale", "manager")]
    write("\n\n".join(dict.fromkeys(when)), [rows_a_day(unit), bytes_a_day(unit), processors(unit)])


def rows_a_day(unit: Unit) -> Table:
    cycles = DAY_SECONDS / INTERVAL_SECONDS
    return Table(
        "Rows a day",
        ("Traders", "decisions", "messages", "equity points", "trades"),
        [
            (
                f"{traders:,}",
                *(f"{traders * each:,.0f}" for each in (cycles, cycles * MESSAGES_A_DECISION, cycles, TRADES_A_DAY)),
            )
            for traders in SIZES
        ],
        (f"A decision every {INTERVAL_SECONDS} s with a point of equity, {TRADES_A_DAY} trades a day.",),
    )


def bytes_a_day(unit: Unit) -> Table:
    cycles = DAY_SECONDS / INTERVAL_SECONDS
    journal = cycles * unit.decision_bytes
    said = cycles * MESSAGES_A_DECISION * unit.message_bytes
    equity, trades = cycles * unit.equity_point_bytes, TRADES_A_DAY * unit.trade_bytes
    rows = []
    for traders in SIZES:
        each = [traders * part / GB for part in (journal, said, equity, trades)]
        rows.append((f"{traders:,}", *(f"{part:,.2f}" for part in each), f"{sum(each) * 365:,.0f}"))
    return Table(
        "Disk, GB a day",
        ("Traders", "decisions", "messages", "equity", "trades", "all, GB a year"),
        rows,
        ("Indexes included. The journal is most of it: see [its growth](#the-journals-growth).",),
    )


def processors(unit: Unit) -> Table:
    """Cores that are busy all the time. The export's cost grows with the traders; what changed in a minute is between
    its idle and its first cycle."""
    rows = []
    for traders in SIZES:
        manager = traders / INTERVAL_SECONDS * unit.cycle_cpu_s
        least, most = (
            taken * traders / unit.traders / EXPORT_SECONDS for taken in (unit.export_idle_s, unit.export_first_s)
        )
        rows.append((f"{traders:,}", f"{manager:.2f}", f"{least:.2f} to {most:.2f}", step(traders, manager, most)))
    return Table(
        "Processors",
        ("Traders", "managers, by rules", "exporter", "next step"),
        rows,
        ("Cores that are busy all the time, without PostgreSQL's own. Waiting for a model costs none.",),
    )


def step(traders: int, manager: float, export: float) -> str:
    """What the site does next, by what runs out first."""
    if export > 1 or traders >= SIZES[-1]:
        return "Citus, a cluster for the live store, a CDN before the documents"
    if manager > 1:
        return f"{int(manager) + 1} managers by shares, a replica, a pool, equity by month"
    if export > 0.2 or manager > 0.2:
        return "a replica, a pool"
    return "none: one machine"


def write(measured: str, tables: list[Table]) -> None:
    begin, end = "<!-- begin sizing -->\n", "<!-- end sizing -->"
    text = PAGE.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise SystemExit(f"{PAGE} has no markers `{begin.strip()}` and `{end}`")
    content = "\n\n".join([f"Computed from: {measured}", *map(str, tables)])
    PAGE.write_text(f"{before}{begin}\n{content}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
