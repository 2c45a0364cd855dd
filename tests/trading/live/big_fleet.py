"""A fleet of 100 traders in the old layout, and processes that write and read while it is switched over."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection
from django_redis import get_redis_connection

from tests.factories import make_trader, sync_traders
from tests.live_factories import make_context, make_price
from tests.platform.processes import PATIENCE_SECONDS
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_position, make_trade
from trading.live import keys
from trading.live import services as live
from trading.live.migration.modes import LayoutMode
from trading.live.redis import store
from trading.live.redis.mode import switch
from trading.models import ConversationMessage, EquitySnapshot
from trading.record.writing import decisions, positions, trades
from trading.schema.common import Side

CHECKOUT = Path(__file__).resolve().parents[3]
SYMBOLS = ("BTC", "ETH", "SOL", "BNB", "DOGE", "XRP")


def fill(count: int) -> list[str]:
    """Traders with a position, trades, equity, a decision and a conversation each, in PostgreSQL only."""
    names = [f"trader_{n:03}" for n in range(count)]
    sync_traders(*(make_trader(name, allocation_pct=Decimal("0.50")) for name in names))
    for n, name in enumerate(names):
        positions.open_position(trader_id=name, symbol="BTC", side=Side.LONG, detail=make_position())
        for hour in range(n % 3 + 4):
            trades.record_trade(make_trade(name, open_ms=OPENED_MS + hour * HOUR_MS, net=n - 40))
        recorded = decisions.record_decision(make_entry(name))
        ConversationMessage.objects.create(
            trader_id=name, conversation=str(recorded.id), sequence=0, role="user", content="?", sent_at=_now()
        )
    EquitySnapshot.objects.bulk_create(
        EquitySnapshot(trader_id=name, ts_ms=OPENED_MS + day * 24 * HOUR_MS, equity_usd=1000 + (n - 40) * day)
        for n, name in enumerate(names)
        for day in range(3)
    )
    return names


def as_old_layout() -> None:
    """The store in the mode legacy, with everything that the old engine keeps."""
    switch(get_redis_connection("default"), LayoutMode.LEGACY, 0)
    live.rebuild_all()
    live.quoted({symbol: make_price() for symbol in SYMBOLS})
    live.quoted({f"hyperliquid:{symbol}": make_price() for symbol in SYMBOLS})
    store.write(keys.MARKET_CTX, {f"hyperliquid:{symbol}": make_context() for symbol in SYMBOLS})


def stored_names() -> list[str]:
    found: list[Any] = get_redis_connection("default").keys("*nof0:*")
    return sorted(name.decode() for name in found)


def patterns() -> set[str]:
    """What the keyspace holds, with the ids taken out."""
    found = set()
    for name in stored_names():
        conversation = keys.CONVERSATIONS.named("")
        found.add(keys.CONVERSATIONS.name if name.startswith(conversation) else name)
    return found


class Walk:
    """The two processes and what the reader found wrong."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.reads = self.writes = 0
        self.longest_wait = 0.0

    @contextlib.contextmanager
    def running(self) -> Iterator[Walk]:
        with _process("write") as writer, _process("read") as reader:
            pump = threading.Thread(target=self._pump, args=[writer, reader], daemon=True)
            hear = threading.Thread(target=self._hear, args=[reader], daemon=True)
            pump.start()
            hear.start()
            try:
                self.wait()
                yield self
                self.wait()
            finally:
                for process in (writer, reader):
                    process.kill()
                    process.wait()
                pump.join(10)
                hear.join(10)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Walk]:
        """The writer alone."""
        with _process("write") as writer:
            count = threading.Thread(target=self._count, args=[writer], daemon=True)
            count.start()
            try:
                yield self
            finally:
                writer.kill()
                writer.wait()
                count.join(10)

    def wait_for_writes(self, more: int) -> None:
        until, deadline = self.writes + more, time.monotonic() + PATIENCE_SECONDS
        while self.writes < until:
            assert time.monotonic() < deadline, f"no progress: {self.writes} {self.wrong}"
            time.sleep(0.02)

    def wait(self) -> None:
        """Until both did something more."""
        reads, writes, deadline = self.reads, self.writes, time.monotonic() + PATIENCE_SECONDS
        while self.reads == reads or self.writes < writes + 20:
            assert time.monotonic() < deadline, f"no progress: {self.writes}, {self.reads} {self.wrong}"
            time.sleep(0.05)

    def _count(self, writer: subprocess.Popen[str]) -> None:
        assert writer.stdout
        last = None
        for line in writer.stdout:
            if not line.startswith("trader_"):
                self.wrong.append(line)
                continue
            if last is not None:
                self.longest_wait = max(self.longest_wait, time.monotonic() - last)
            last = time.monotonic()
            self.writes += 1

    def _pump(self, writer: subprocess.Popen[str], reader: subprocess.Popen[str]) -> None:
        assert writer.stdout
        assert reader.stdin
        with contextlib.suppress(BrokenPipeError, ValueError):
            for line in writer.stdout:
                if not line.startswith("trader_"):
                    self.wrong.append(f"writer: {line}")
                    continue
                self.writes += 1
                reader.stdin.write(line)
                reader.stdin.flush()

    def _hear(self, reader: subprocess.Popen[str]) -> None:
        assert reader.stdout
        for line in reader.stdout:
            if line.startswith("read "):
                self.reads = int(line.split()[1])
            else:
                self.wrong.append(line.strip())


@contextlib.contextmanager
def _process(what: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.trading.live.walker", what],
        cwd=CHECKOUT,
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        with contextlib.suppress(BrokenPipeError):
            process.communicate()


def _environment() -> dict[str, str]:
    """The site on the test's own database and Redis."""
    at = connection.settings_dict
    user = quote(at["USER"] or "", safe="")
    secret = f":{quote(at['PASSWORD'], safe='')}" if at["PASSWORD"] else ""
    port = f":{at['PORT']}" if at["PORT"] else ""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "nof0site.settings",
        "DATABASE_URL": f"postgresql://{user}{secret}@{quote(at['HOST'], safe='')}{port}/{quote(str(at['NAME']))}",
        "REDIS_URL": settings.CACHES["default"]["LOCATION"],
        "PYTHONPATH": str(CHECKOUT),
    }


def _now() -> datetime:
    return datetime.now(UTC)
