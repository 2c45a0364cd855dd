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


def run(directory: Path, gigabytes: float, say: Callable[[str], None]) -> list[Table]:
    rows = []
    for size in (gigabytes / SMALL_SHARE, gigabytes):
        say(f"import of a file of {size:g} GB")
        empty_tables()
        path = _file(directory / f"{size:g}" / "trades.json", int(size * GIGABYTE))
        trades, peak, seconds = _measured(path)
        rows.append((f"{size:g} GB", f"{trades:,}", f"{peak:.0f}", f"{seconds:.0f}", f"{trades / seconds:,.0f}"))
        path.unlink()
    return [
        Table(
            "`import_arena --dry-run` of one trades.json",
            ("File", "trades", "peak MiB", "seconds", "trades/s"),
            rows,
            (
                "Highest resident size of the command's process, PostgreSQL apart; a dry run writes everything and "
                "takes it back. Every record has the 33 fields of a real one.",
            ),
        )
    ]


def _file(path: Path, size: int) -> Path:
    """Trades of forty traders, each closed a second after the one before."""
    path.parent.mkdir()
    with path.open("w", encoding="utf-8") as file:
        file.write('{"trades": [')
        number = 0
        while file.tell() < size:
            file.write(("," if number else "") + json.dumps(_trade(number)))
            number += 1
        file.write("]}")
    return path


def _trade(number: int) -> dict[str, object]:
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
    """Trades taken, peak in MiB, seconds of the whole process."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.import_memory", str(path)]
    done = subprocess.run(command, env=environment(), check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    trades, peak = json.loads(done.stdout)
    return trades, peak, seconds


def main(path: Path) -> tuple[int, float]:
    import django

    django.setup()
    from django.core.management import call_command

    out = StringIO()
    call_command("import_arena", str(path), "--dry-run", "--json", stdout=out)
    return json.loads(out.getvalue())["tables"]["trades"]["inserted"], resident()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
