from __future__ import annotations

import gzip
import hashlib
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from tests.live_factories import make_price
from tests.trading.export.record import TRADERS, add_equity, fill_record, read
from tests.trading_factories import HOUR_MS, OPENED_MS, make_position, make_trade
from trading.export.cycle import Exporter, ExportStopped
from trading.export.directory.manifest import DocumentSource, ManifestEntry
from trading.export.directory.runs import ExportDirectory, Run, RunOvertaken
from trading.export.documents.names import Document
from trading.export.parts import all as parts_module
from trading.export.parts.equity import AccountSeries
from trading.export.parts.options import Options
from trading.export.queries import positions as export_positions
from trading.live.keys import PRICE
from trading.live.redis import store
from trading.record.writing.positions import close_position, open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Side
from trading.schema.position import PositionRecord
from trading.schema.trade import Pnl

pytestmark = pytest.mark.django_db


@pytest.fixture
def record() -> None:
    fill_record()


@pytest.fixture
def exporter(record: None, tmp_path: Path) -> Exporter:
    return Exporter(Options(tmp_path / "export"))


def inodes(root: Path) -> dict[str, int]:
    current = (root / "current").resolve()
    return {
        str(path.relative_to(current)): path.stat().st_ino
        for path in current.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


def test_every_document_is_written_with_what_the_manifest_says_of_it(exporter: Exporter) -> None:
    manifest = exporter.cycle(analytics_seconds=None)

    names = [entry.name for entry in manifest.files]
    assert names == [*Document, *(f"analytics/{name}" for name in TRADERS)]
    current = exporter.options.root / "current"
    for entry in manifest.files:
        body = (current / f"{entry.name}.json").read_bytes()
        assert (entry.size, entry.sha256) == (len(body), hashlib.sha256(body).hexdigest())
        assert gzip.decompress((current / f"{entry.name}.json.gz").read_bytes()) == body
        assert not entry.is_stale
    assert exporter.directory.current().manifest == manifest  # type: ignore[union-attr]


def test_a_cycle_with_nothing_new_writes_nothing_but_the_manifest(exporter: Exporter) -> None:
    first = exporter.cycle(analytics_seconds=None)
    before = inodes(exporter.options.root)
    second = exporter.cycle(analytics_seconds=None)

    assert second.as_of > first.as_of
    assert inodes(exporter.options.root) == before
    assert second.files == first.files


def test_a_new_exporter_finds_what_is_unchanged(exporter: Exporter) -> None:
    exporter.cycle(analytics_seconds=None)
    before = inodes(exporter.options.root)
    Exporter(exporter.options).cycle(analytics_seconds=None)

    after = inodes(exporter.options.root)
    # What says when it was computed is new.
    assert {name for name in before if before[name] != after[name]} <= {
        name for name in before if name.startswith("analytics")
    }


def test_a_new_trade_changes_what_tells_of_it_and_nothing_else(exporter: Exporter) -> None:
    exporter.cycle(analytics_seconds=None)
    before = inodes(exporter.options.root)
    # In a symbol that nobody holds: else it is the last known price of a position.
    record_trade(make_trade("ann", symbol="SOL", open_ms=OPENED_MS + 20 * HOUR_MS, net="-1.125"))
    exporter.cycle(analytics_seconds=None)

    after = inodes(exporter.options.root)
    changed = {name.removesuffix(".gz") for name in after if before.get(name) != after[name]}
    assert {"trades.json", "leaderboard.json", "analytics.json", "analytics/ann.json"} <= changed
    assert not changed & {"positions.json", "conversations.json", "since-inception-values.json", "analytics/bob.json"}
    ann = next(row for row in read(exporter.options.root, "leaderboard")["leaderboard"] if row["id"] == "ann")
    assert (ann["num_trades"], ann["win_dollars"], ann["lose_dollars"]) == (5, Decimal("14.5"), Decimal("-4.375"))


def test_new_equity_is_taken_in_without_reading_all_of_it(exporter: Exporter, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter.cycle(analytics_seconds=None)
    monkeypatch.setattr(AccountSeries, "_read_whole", lambda *_: pytest.fail("all equity was read again"))
    newest = OPENED_MS + 30 * HOUR_MS
    add_equity("ann", newest, 5000)
    add_equity("ann", newest + 60_000, 6000)
    exporter.cycle(analytics_seconds=None)
    taken_in = read(exporter.options.root, "account-totals")["accountTotals"]
    monkeypatch.undo()
    Exporter(Options(exporter.options.root.parent / "other")).cycle(analytics_seconds=None)

    assert taken_in == read(exporter.options.root.parent / "other", "account-totals")["accountTotals"]
    assert [row["dollar_equity"] for row in taken_in if row["model_id"] == "ann"][-2:] == [1029, 6000]


def test_a_position_is_read_again_only_when_its_row_was_written_by_whatever_program(
    exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter.cycle(analytics_seconds=None)
    asked: list[dict[str, str]] = []
    by_ids = export_positions.by_ids

    def noted(ids: dict[str, str]) -> list[PositionRecord]:
        asked.append(ids)
        return by_ids(ids)

    monkeypatch.setattr(export_positions, "by_ids", noted)

    exporter.cycle(analytics_seconds=None)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE positions SET detail = jsonb_set(detail, '{entry,price}', '43000') WHERE symbol = 'BTC'")
    exporter.cycle(analytics_seconds=None)

    assert asked == [{}, {"ann|BTC": "ann"}]
    assert read(exporter.options.root, "positions")["accountTotals"][0]["positions"]["BTC"]["entry_price"] == 43000


def test_a_closed_position_is_gone_and_a_reopened_one_is_the_new_one(exporter: Exporter) -> None:
    exporter.cycle(analytics_seconds=None)
    closed_ms = OPENED_MS + HOUR_MS + 5
    close_position(
        trader_id="ann",
        symbol="BTC",
        price=Decimal(46000),
        closed_at_ns=closed_ms * 1_000_000,
        pnl=Pnl(gross=Decimal(1), net=Decimal(1)),
    )
    exporter.cycle(analytics_seconds=None)
    assert "BTC" not in read(exporter.options.root, "positions")["accountTotals"][0]["positions"]

    later = make_position(opened_ms=closed_ms + 1)
    open_position(trader_id="ann", symbol="BTC", side=Side.LONG, detail=later)
    exporter.cycle(analytics_seconds=None)

    held = read(exporter.options.root, "positions")["accountTotals"][0]["positions"]["BTC"]
    assert held["entry_time"] == Decimal(closed_ms + 1) / 1000


def test_the_failure_of_one_document_leaves_the_others_and_is_told(
    exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter.cycle(analytics_seconds=None)
    before = read(exporter.options.root, "positions")

    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("no way")

    monkeypatch.setattr(parts_module, "positions_document", broken)
    monkeypatch.setattr(parts_module, "encode", broken)
    record_trade(make_trade("ann", open_ms=OPENED_MS + 20 * HOUR_MS))
    manifest = exporter.cycle(analytics_seconds=None)

    stale = {entry.name: entry for entry in manifest.files if entry.is_stale}
    assert set(stale) == {"positions", "account-totals"}
    assert stale["positions"].error == "ZeroDivisionError: no way"
    assert stale["positions"].source is DocumentSource.PREVIOUS
    assert read(exporter.options.root, "positions") == before
    assert manifest.entry("trades").rows == 9  # type: ignore[union-attr]
    monkeypatch.undo()
    assert not any(entry.is_stale for entry in exporter.cycle(analytics_seconds=None).files)


def test_a_statement_that_fails_fails_its_document_alone(exporter: Exporter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.export.queries.conversations._DECISIONS", "SELECT nothing FROM nowhere LIMIT %s")
    manifest = exporter.cycle(analytics_seconds=None)

    assert [entry.name for entry in manifest.files if entry.is_stale] == ["conversations"]
    assert manifest.entry("conversations").size == 0  # type: ignore[union-attr]


def test_a_statement_that_takes_too_long_fails_its_document_alone(
    exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter.cycle(analytics_seconds=None)
    before = read(exporter.options.root, "conversations")
    slow = "SET LOCAL statement_timeout = 20; SELECT pg_sleep(2)"
    monkeypatch.setattr(
        "trading.export.parts.all.ConversationItems.refresh", lambda *_: connection.cursor().execute(slow)
    )
    record_trade(make_trade("ann", open_ms=OPENED_MS + 20 * HOUR_MS))
    manifest = exporter.cycle(analytics_seconds=None)

    [stale] = [entry for entry in manifest.files if entry.is_stale]
    assert stale.name == "conversations"
    assert "statement timeout" in (stale.error or "")
    assert read(exporter.options.root, "conversations") == before
    assert manifest.entry("trades").rows == 9  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_fails_the_cycle_and_the_next_one_has_another(
    exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = exporter.cycle(analytics_seconds=None)
    end = "SELECT pg_terminate_backend(pg_backend_pid())"
    monkeypatch.setattr(
        "trading.export.parts.all.ConversationItems.refresh", lambda *_: connection.cursor().execute(end)
    )
    with pytest.raises(OperationalError, match="terminating connection"):
        exporter.cycle(analytics_seconds=None)
    assert exporter.directory.runs() == [first.as_of]
    monkeypatch.undo()
    connection.close()
    assert not any(entry.is_stale for entry in exporter.cycle(analytics_seconds=None).files)


def test_what_killed_exporters_left_is_cleared_before_anything_is_written(
    exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = exporter.options.root / "runs" / "1700000000000" / "analytics"
    left.mkdir(parents=True)
    (left / "ann.json").write_bytes(b"{")

    def full(self: Run, entry: ManifestEntry, body: bytes) -> ManifestEntry:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Run, "put", full)
    with pytest.raises(OSError, match="No space left"):
        exporter.cycle(analytics_seconds=None)
    assert not list((exporter.options.root / "runs").iterdir())


def test_a_full_disk_leaves_the_last_run_and_no_trace(exporter: Exporter, monkeypatch: pytest.MonkeyPatch) -> None:
    first = exporter.cycle(analytics_seconds=None)
    record_trade(make_trade("ann", open_ms=OPENED_MS + 20 * HOUR_MS))

    def full(self: Run, entry: ManifestEntry, body: bytes) -> ManifestEntry:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Run, "put", full)
    with pytest.raises(OSError, match="No space left"):
        exporter.cycle(analytics_seconds=None)
    assert exporter.directory.current().manifest == first  # type: ignore[union-attr]
    assert exporter.directory.runs() == [first.as_of]
    assert len(list((exporter.options.root / "runs").iterdir())) == 1
    monkeypatch.undo()
    assert exporter.cycle(analytics_seconds=None).entry("trades").rows == 9  # type: ignore[union-attr]


def test_a_directory_that_is_gone_is_made_again(exporter: Exporter) -> None:
    exporter.cycle(analytics_seconds=None)
    for path in sorted(exporter.options.root.rglob("*"), reverse=True):
        path.unlink() if path.is_file() or path.is_symlink() else path.rmdir()
    exporter.options.root.rmdir()

    exporter.cycle(analytics_seconds=None)
    assert len(read(exporter.options.root, "trades")["trades"]) == 8


def test_told_to_stop_it_leaves_the_run_before(exporter: Exporter) -> None:
    first = exporter.cycle(analytics_seconds=None)
    files: list[int] = []
    exporter.is_stopping = lambda: files.append(1) or len(files) > 3  # type: ignore[func-returns-value]

    with pytest.raises(ExportStopped):
        exporter.cycle(analytics_seconds=None)
    assert exporter.directory.current().manifest == first  # type: ignore[union-attr]
    assert exporter.directory.runs() == [first.as_of]


def test_overtaken_by_another_exporter_it_leaves_the_newer_run_and_no_trace(exporter: Exporter) -> None:
    other = Exporter(exporter.options)
    newer: list[int] = []

    def is_stopping() -> bool:
        if not newer:
            time.sleep(0.002)
            newer.append(other.cycle(analytics_seconds=None).as_of)
        return False

    exporter.is_stopping = is_stopping
    with pytest.raises((RunOvertaken, OSError)):
        exporter.cycle(analytics_seconds=None)
    assert exporter.directory.runs() == newer
    assert exporter.cycle(analytics_seconds=None).as_of > newer[0]


def test_old_runs_go_but_for_three_and_what_a_delayed_reader_sees(exporter: Exporter) -> None:
    made = [exporter.cycle(analytics_seconds=None).as_of for _ in range(6)]
    assert exporter.directory.runs() == made[-3:]

    directory = ExportDirectory(exporter.options.root)
    directory.prune(keep_after_ms=made[-3] + 1)
    assert directory.runs() == made[-3:]


def test_live_prices_mark_positions_and_stale_ones_do_not(exporter: Exporter) -> None:
    store.write(PRICE, {"BTC": make_price(price="44000")})
    manifest = exporter.cycle(analytics_seconds=None)

    held = read(exporter.options.root, "positions")["accountTotals"][0]["positions"]["BTC"]
    assert (held["current_price"], held["unrealized_pnl"]) == (44000, Decimal("10.00500"))
    assert read(exporter.options.root, "crypto-prices")["prices"]["BTC"]["price"] == 44000
    assert manifest.entry("positions").source is DocumentSource.LIVE  # type: ignore[union-attr]
    assert manifest.entry("trades").source is DocumentSource.REBUILT  # type: ignore[union-attr]


def test_without_redis_the_record_is_exported(exporter: Exporter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.export.parts.quotes.store.read_all", lambda key: None)
    manifest = exporter.cycle(analytics_seconds=None)

    assert not any(entry.is_stale for entry in manifest.files)
    assert {entry.source for entry in manifest.files} == {DocumentSource.REBUILT}
    # What BTC and ETH were last sold for.
    assert read(exporter.options.root, "crypto-prices")["prices"]["BTC"]["price"] == 45500


def test_prompts_can_be_withheld(record: None, tmp_path: Path) -> None:
    Exporter(Options(tmp_path, is_withheld=True)).cycle(analytics_seconds=None)

    text = (tmp_path / "current" / "conversations.json").read_text()
    assert "You trade." not in text
    assert "It rises." not in text
    assert read(tmp_path, "conversations")["conversations"][0]["llm_response"]["BTC"]["signal"] == "buy_to_enter"
