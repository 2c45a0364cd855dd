"""The writer and the reader of the switch-over tests, each a process of its own: `python -m ... write|read`.

The writer decides for one trader after the other, without pause, and says `TRADER CYCLE` once it is shown. The reader
reads every kind of value of some traders, without pause, and checks: nothing missing, nothing spoilt, nothing staler
than the key allows, and no decision older than the last one shown a second before. It prints what was wrong.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

BEHIND_SECONDS = 1.0


def write() -> None:
    from tests.live_factories import make_context, make_price
    from tests.trading_factories import make_entry
    from trading.live import keys
    from trading.live import queries as projection
    from trading.live import services as live
    from trading.live.redis import store
    from trading.models import ConversationMessage
    from trading.record.writing import decisions

    traders = list(projection.fleet())
    while True:
        for trader_id in traders:
            now = datetime.now(UTC)
            recorded = decisions.record_decision(make_entry(trader_id, decided_at=now))
            ConversationMessage.objects.create(
                trader_id=trader_id, conversation=str(recorded.id), sequence=0, role="user", content="?", sent_at=now
            )
            live.changed(trader_id)
            live.quoted({"BTC": make_price(), "hyperliquid:BTC": make_price()})
            store.write(keys.MARKET_CTX, {"hyperliquid:BTC": make_context()})
            _say(f"{trader_id} {recorded.cycle_number}")


def read() -> None:
    from trading.live import keys
    from trading.live.redis import store

    shown: dict[str, list[tuple[float, int]]] = {}
    threading.Thread(target=_listen, args=[shown], daemon=True).start()
    reads = 0
    while True:
        names = list(shown)
        for trader_id in random.sample(names, min(5, len(names))):
            started = time.monotonic()
            known = max((n for at, n in shown[trader_id][-20:] if at < started - BEHIND_SECONDS), default=0)
            last = store.read_one(keys.DECISION_LAST, trader_id)
            _check(last, keys.DECISION_LAST, trader_id)
            decided = getattr(getattr(last, "value", None), "id", None)
            cycle = getattr(getattr(last, "value", None), "cycle", None)
            if cycle is not None and cycle < known:
                _say(f"wrong: {trader_id} is at cycle {cycle}, not {known}")
            for key in (keys.TRADES_RECENT, keys.ANALYTICS, keys.SINCE_INCEPTION, keys.POSITIONS):
                _check(store.read_one(key, trader_id), key, trader_id)
            conversations = store.read_conversations([trader_id])[trader_id]
            _check(conversations, keys.CONVERSATIONS, trader_id)
            newest = (
                int(getattr(conversations, "value", [None])[0].conversation)
                if hasattr(conversations, "value")
                else None
            )
            if newest is not None and decided is not None and newest < decided:
                _say(f"wrong: the conversation of {trader_id} is {newest}, older than its decision {decided}")
            _check(store.read_one(keys.PRICE, "hyperliquid:BTC"), keys.PRICE, "hyperliquid:BTC")
            _check(store.read_one(keys.MARKET_CTX, "hyperliquid:BTC"), keys.MARKET_CTX, "hyperliquid:BTC")
            reads += 9
        if names:
            _say(f"read {reads}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _check(answer: Any, key: Any, field: str) -> None:
    from trading.schema.live_store.answers import FreshValue

    if not isinstance(answer, FreshValue):
        _say(f"wrong: {key.name} {field} is {answer}")


def _listen(shown: dict[str, list[tuple[float, int]]]) -> None:
    for trader_id, cycle in _lines():
        shown.setdefault(trader_id, []).append((time.monotonic(), cycle))


def _lines() -> Iterator[tuple[str, int]]:
    for line in sys.stdin:
        trader_id, cycle = line.split()
        yield trader_id, int(cycle)


if __name__ == "__main__":
    import django

    django.setup()
    {"write": write, "read": read}[sys.argv[1]]()
