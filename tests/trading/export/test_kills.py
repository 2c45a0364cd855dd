"""The whole exporter killed again and again while engines trade: readers always find one whole, ever newer run, and
the next exporter goes on."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connections
from django_redis import get_redis_connection

from tests.live_factories import make_price
from tests.platform.processes import wait_for
from tests.trading.export import checks
from tests.trading.export.exporters import Exporters, end_sessions, end_the_lock, is_lock_free, kill
from tests.trading.export.public_api.client import get, make_api
from tests.trading.export.record import EQUITY_HOURS, add_equity, fill_record
from tests.trading.export.whole import Documents, Pruned, whole_run
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_trade
from trading.export.directory.runs import ExportDirectory
from trading.export.documents.names import Document
from trading.export.public_api import current
from trading.live.keys import PRICE
from trading.live.redis import store
from trading.record.writing.decisions import record_decision
from trading.record.writing.trades import record_trade

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

KILLS = 50
# Of so many kills one finds an exporter whose sessions with the database were ended before, and a second one waiting.
LOST_SESSIONS_EVERY = 7
BEAT = "0.01"
# Nothing that is recorded may fall out of a document.
ALL = {"EXPORT_TRADES": "100000", "EXPORT_CONVERSATIONS": "100000", "EXPORT_ACCOUNT_ROWS": "100000"}
NEWEST_MS = OPENED_MS + (EQUITY_HOURS + 1) * HOUR_MS


@dataclass
class LoadedSite:
    """What goes on while exporters die: trades, decisions, equity and prices, and readers of them."""

    root: Path
    stop: threading.Event = field(default_factory=threading.Event)
    runs_read: set[int] = field(default_factory=set)
    answers: int = 0

    def trade(self) -> None:
        number = 0
        while not self.stop.is_set():
            number += 1
            trader_id, moment = ("ann", "bob")[number % 2], NEWEST_MS + number * 60_000
            record_trade(make_trade(trader_id, open_ms=moment, net=f"{number % 7 - 3}.25"))
            record_decision(make_entry(trader_id, decided_at=datetime(2026, 1, 9, tzinfo=UTC) + timedelta(0, number)))
            add_equity("ann", moment, 1250 + number)
            store.write(PRICE, {"BTC": make_price(price=44_000 + number)})
            self.stop.wait(0.02)

    def read_files(self) -> None:
        newest = 0
        wait_for((self.root / "current").exists)
        while not self.stop.is_set():
            try:
                manifest, documents = whole_run(self.root)
            except Pruned:
                continue
            assert manifest.as_of >= newest, "the newest run went backwards"
            assert not [entry.error for entry in manifest.files if entry.error]
            newest = manifest.as_of
            self.runs_read.add(newest)
            assert_one_moment(documents)
            time.sleep(0.01)

    def ask(self) -> None:
        api, newest = make_api(self.root), 0
        while not self.stop.is_set():
            for number, name in enumerate(Document):
                answer = get(api, f"/api/{name}", accept_encoding=("gzip", "")[number % 2])
                assert answer.status == (200 if newest else answer.status)
                assert answer.status in (200, 503)
                assert answer.json
                self.answers += 1
            seen = api.current.snapshot()
            assert (seen.as_of if seen else 0) >= newest, "the API went back to an older run"
            newest = seen.as_of if seen else 0
            assert get(api, "/api/health").status == 200
            time.sleep(0.01)


def assert_one_moment(documents: Documents) -> None:
    """The leaderboard counts and sums exactly the trades that the run beside it shows."""
    shown = documents["trades"]["trades"]
    board = documents["leaderboard"]["leaderboard"]
    assert sum(row["num_trades"] for row in board) == len(shown)
    for row in board:
        nets = [Decimal(str(trade["realized_net_pnl"])) for trade in shown if trade["model_id"] == row["id"]]
        sums = Decimal(str(row["win_dollars"])) + Decimal(str(row["lose_dollars"]))
        assert sum(nets) == sums, row["id"]
    held = {row["model_id"]: row["positions"] for row in documents["positions"]["accountTotals"]}
    newest = {row["model_id"]: row["positions"] for row in documents["account-totals"]["accountTotals"]}
    assert newest["ann"] == held["ann"]


@contextmanager
def busy(site: LoadedSite) -> Iterator[list[Future[None]]]:
    def own_connection(work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        at_work = [pool.submit(own_connection, work) for work in (site.trade, site.read_files, site.ask)]
        try:
            yield at_work
        finally:
            site.stop.set()
    for work in at_work:
        work.result()


@pytest.fixture
def exporters(tmp_path: Path) -> Iterator[Exporters]:
    exporters = Exporters.of_the_tests(tmp_path, **ALL)
    try:
        yield exporters
    finally:
        exporters.clear()


def newest(root: Path) -> int:
    found = ExportDirectory(root).current()
    return found.manifest.as_of if found else 0


def unfinished(root: Path) -> int:
    directory = ExportDirectory(root)
    return len(list((root / "runs").glob("*"))) - len(directory.runs())


def lose(end: Callable[[], int], exporters: Exporters, root: Path, *arguments: str) -> int:
    """Ends an exporter's sessions with the database while another one begins; the other's process id, when one of the
    two has exported again."""
    wait_for(end)
    second, before = exporters.start(*arguments), newest(root)
    wait_for(lambda: newest(root) > before)
    return second


def test_killed_fifty_times_while_engines_trade(
    exporters: Exporters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current, "LOOK_SECONDS", 0.0)
    fill_record()
    root, draw, cut_short = tmp_path / "export", random.Random(1), 0
    arguments = ("--every", BEAT, "--dir", str(root))
    site = LoadedSite(root)
    with busy(site) as at_work:
        for number in range(1, KILLS + 1):
            alive, before = [exporters.start(*arguments)], newest(root)
            if number % 2:
                # Half of them die young; the others have exported, however slow the machine is.
                wait_for(lambda before=before: newest(root) > before)
            time.sleep(draw.uniform(0.05, 0.7))
            if not number % LOST_SESSIONS_EVERY:
                alive.append(lose((end_sessions, end_the_lock)[number % 2], exporters, root, *arguments))
            for pid in alive:
                kill(pid)
            wait_for(is_lock_free)
            cut_short += unfinished(root) > 0
            assert not any(work.done() for work in at_work), [work.exception(0) for work in at_work if work.done()]
    # Otherwise the kills fell between exports, and prove little.
    assert cut_short > KILLS // 3
    assert len(site.runs_read) > KILLS // 3
    assert site.answers > 100

    # What was last sold is the newest price, so that each number can be found in the record.
    get_redis_connection("default").flushdb()
    finished = exporters.machine.manage("export_json", "--once", "--dir", str(root))
    assert finished.returncode == 0, finished.stdout
    assert_nothing_is_left_behind(root)
    documents = checks.documents_of(root)
    for holds in checks.CHECKS:
        holds(documents)
    assert len(documents["trades"]["trades"]) > 200


def assert_nothing_is_left_behind(root: Path) -> None:
    assert {path.name for path in root.iterdir()} == {"current", "runs", "status.json", "lock"}
    assert not unfinished(root)
    assert len(list((root / "runs").iterdir())) <= 3
