"""The memory of `import_arena` over one long file.

Run as a module by the benchmark: `python -m benchmarks.import_memory FILE`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from benchmarks.memory import resident
from benchmarks.report import Table
from benchmarks.servers import empty_tables, environment

GIGABYTE = 1_000_000_000
SMALL_SHARE = 20
# A row of account-totals is a third of a trade, and some millions of them are enough.
ACCOUNT_SHARE = 2

Record = Callable[[int], dict[str, object]]
Kind = tuple[str, str, Record]
"""(file name, key of its list, what makes a record)."""


def run(directory: Path, gigabytes: float, say: Callable[[str], None]) -> list[Table]:
    note = (
        "Highest resident size of the command's process, PostgreSQL apart; a dry run writes everything and rolls it "
        "back."
    )
    return [
        Table(
            "`import_arena --dry-run` of one trades.json",
            ("File", "trades", "peak MiB", "seconds", "trades/s"),
            _rows(directory, ("trades.json", "trades", _trade), gigabytes, say),
            (f"{note} Every record has the 33 fields of a real one.",),
        ),
        Table(
            "`import_arena --dry-run` of one account-totals.json",
            ("File", "rows", "peak MiB", "seconds", "rows/s"),
            _rows(directory, ("account-totals.json", "accountTotals", _account), gigabytes / ACCOUNT_SHARE, say),
            (f"{note} Every twentieth row holds a position.",),
        ),
    ]


def _rows(directory: Path, kind: Kind, gigabytes: float, say: Callable[[str], None]) -> list[tuple[str, ...]]:
    name, key, record = kind
    rows: list[tuple[str, ...]] = []
    for size in (gigabytes / SMALL_SHARE, gigabytes):
        say(f"import of {name} of {size:g} GB")
        empty_tables()
        path = _file(directory / f"{size:g}" / name, key, record, int(size * GIGABYTE))
        taken, peak, seconds = _measured(path)
        rows.append((f"{size:g} GB", f"{taken:,}", f"{peak:.0f}", f"{seconds:.0f}", f"{taken / seconds:,.0f}"))
        path.unlink()
    return rows


def _file(path: Path, key: str, record: Record, size: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"{key}": [')
        number = 0
        while file.tell() < size:
            file.write(("," if number else "") + json.dumps(record(number)))
            number += 1
        file.write("]}")
    return path


def _account(number: int) -> dict[str, object]:
    """Of forty traders, a row each every ten seconds."""
    trader, tick = f"trader_{number % 40}", number // 40
    held = {"entry_oid": number, "symbol": "BTC", "quantity": 0.01, "entry_price": 100_000.5, "leverage": 10}
    return {
        "id": f"{trader}_{tick}",
        "model_id": trader,
        "timestamp": 1_700_000_000.25 + 10 * tick,
        "realized_pnl": tick % 2001 / 8,
        "total_unrealized_pnl": -0.5,
        "dollar_equity": 10_000 + tick % 2001 / 8,
        "sharpe_ratio": 0.1,
        "cum_pnl_pct": tick % 2001 / 800,
        "since_inception_minute_marker": tick // 6,
        "since_inception_hourly_marker": tick // 360,
        "positions": {} if number % 20 else {"BTC": held},
    }


def _trade(number: int) -> dict[str, object]:
    """Of forty traders, each closed a second after the one before."""
    opened, closed = 1_700_000_000.25 + number, 1_700_003_600.25 + number
    trader, price = f"trader_{number % 40}", 100_000.5 + number % 977
    fees, gross = 0.45 + number % 7 / 100, (number % 2001 - 1000) / 100
    legs = {
        leg: {"sz": 0.01, "tid": 10**12 + 2 * number + n, "oid": 2 * 10**11 + number, "crossed": True}
        | {"liquidation": None, "commission_dollars": fees, "closed_pnl": gross if n else -fees}
        for n, leg in enumerate(("entry", "exit"))
    }
    stamps = {"entry": opened, "exit": closed}
    return {
        **{f"{leg}_{name}": value for leg, fields in legs.items() for name, value in fields.items()},
        **{f"{leg}_time": moment for leg, moment in stamps.items()},
        **{f"{leg}_human_time": _human(moment) for leg, moment in stamps.items()},
        "id": f"{trader}_{number:032x}",
        "trade_id": f"{opened}_BTC_{closed}_{trader}",
        "model_id": trader,
        "symbol": "BTC",
        "side": "long",
        "trade_type": "long",
        "quantity": 0.01,
        "leverage": 1,
        "confidence": 0,
        "entry_price": price,
        "exit_price": price + gross * 100,
        "exit_plan": {},
        "realized_gross_pnl": gross,
        "realized_net_pnl": gross - 2 * fees,
        "total_commission_dollars": 2 * fees,
    }


def _human(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment)) + f".{round(moment % 1 * 1_000_000):06}"


def _measured(path: Path) -> tuple[int, float, float]:
    """Records taken, peak in MiB, seconds of the whole process."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.import_memory", str(path)]
    done = subprocess.run(command, env=environment(), check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    taken, peak = json.loads(done.stdout)
    return taken, peak, seconds


def main(path: Path) -> tuple[int, float]:
    import django

    django.setup()
    from django.core.management import call_command

    out = StringIO()
    call_command("import_arena", str(path), "--dry-run", "--json", stdout=out)
    tables = json.loads(out.getvalue())["tables"]
    return max(table["inserted"] for table in tables.values()), resident()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
