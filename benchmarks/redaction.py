"""What the search for secrets costs, beside the JSON encoding that each record needs anyway."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from benchmarks.report import Table
from traders.runtime.redaction import mark
from traders.schema import jsonio
from traders.schema.redaction import redact

PARAGRAPH = (
    "BTC trades at 64,012.5 with RSI 61 and MACD rising; the stop lies at 63,400 and the target at 66,000. "
    'Account: {"equity": 10432.11, "positions": [{"symbol": "ETH", "quantity": 1.25}]}. I hold: risk:reward is 1.8. '
)
ROUNDS = 5


def run(say: Callable[[str], None]) -> list[Table]:
    rows = []
    for size, name in ((2_000, "an answer of 2 kB"), (20_000, "a prompt of 20 kB"), (20_000, "the same in Chinese")):
        text = (PARAGRAPH * (size // len(PARAGRAPH) + 1))[:size]
        if "Chinese" in name:
            text = text.replace("BTC trades at", "比特币现价").replace("I hold", "我持有")
        say(name)
        ours, encoding = _best(lambda text=text: redact(text, mark)), _best(lambda text=text: jsonio.dumps([text]))
        rows.append([name, f"{ours * 1e6:,.0f}", f"{encoding * 1e6:,.0f}", f"{size / ours / 1e6:,.1f}"])
    return [Table("Microseconds to search a text for secrets", ["text", "search", "JSON encoding", "MB/s"], rows)]


def _best(work: Callable[[], object]) -> float:
    """Seconds of one call, the best of some rounds of a hundred."""
    found = []
    for _ in range(ROUNDS):
        began = perf_counter()
        for _ in range(100):
            work()
        found.append((perf_counter() - began) / 100)
    return min(found)
