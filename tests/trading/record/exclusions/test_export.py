"""What was set aside is in none of the documents of the next cycle, and an exporter that runs on knows it."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.trading.export.record import fill_record, read
from tests.trading_factories import OPENED_MS
from trading.export.cycle import Exporter
from trading.export.parts.options import Options
from trading.models import DecisionJournal, Trade
from trading.record.exclusions import services as exclusions
from trading.schema.exclusion import RecordKey, RecordKind, equity_id

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _record() -> None:
    fill_record()


def documents(exporter: Exporter) -> dict[str, Any]:
    """All of a new cycle, without the moments at which they were made."""
    manifest = exporter.cycle(analytics_seconds=None)
    assert not [entry.error for entry in manifest.files if entry.error]
    return {entry.name: without_moments(read(exporter.options.root, entry.name)) for entry in manifest.files}


def without_moments(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_moments(part) for name, part in value.items() if name not in ("serverTime", "updated_at")}
    return [without_moments(part) for part in value] if isinstance(value, list) else value


def some_of_each() -> list[RecordKey]:
    """An old trade, the last one of the other trader, the open position, the decision, the first equity."""
    oldest = Trade.objects.filter(trader="ann").order_by("close_ts_ms").first()
    newest = Trade.objects.filter(trader="bob").order_by("-close_ts_ms").first()
    assert oldest
    assert newest
    return [
        RecordKey(RecordKind.TRADE, oldest.pk),
        RecordKey(RecordKind.TRADE, newest.pk),
        RecordKey(RecordKind.POSITION, "ann|BTC"),
        RecordKey(RecordKind.DECISION, str(DecisionJournal.objects.get().pk)),
        RecordKey(RecordKind.EQUITY, equity_id("ann", OPENED_MS)),
    ]


def test_an_exporter_that_runs_on_makes_the_documents_of_one_that_begins(tmp_path: Path) -> None:
    running = Exporter(Options(tmp_path / "running"))
    before = documents(running)

    change = exclusions.set_aside(some_of_each(), reason="wrong", actor="mei")
    after = documents(running)
    begins = documents(Exporter(Options(tmp_path / "new")))
    # The hours keep their numbers where a reader has seen them, although the fleet's first equity is set aside.
    shutil.copytree(tmp_path / "running", tmp_path / "again", symlinks=True)
    begins["account-totals"] = documents(Exporter(Options(tmp_path / "again")))["account-totals"]
    assert after == begins
    # Prices are what symbols were last sold for: bob's last trade named the price of ETH.
    assert {name for name in before if before[name] == after[name]} <= {"crypto-prices", "analytics/cyd"}

    exclusions.set_aside([entry.key for entry in change.entries], reason="right", actor="mei", undo=True)
    assert documents(running) == before


def test_no_document_names_what_was_set_aside(tmp_path: Path) -> None:
    keys = some_of_each()
    exclusions.set_aside(keys, reason="wrong", actor="mei")
    said = json.dumps(documents(Exporter(Options(tmp_path))), default=str)
    assert keys[0].id not in said
    assert keys[1].id not in said
    assert "It rises." not in said
    assert "46000.5" not in said


def test_the_sums_are_those_of_the_rows_that_count(tmp_path: Path) -> None:
    exclusions.set_aside(some_of_each(), reason="wrong", actor="mei")
    board = {row["id"]: row for row in documents(Exporter(Options(tmp_path)))["leaderboard"]["leaderboard"]}
    assert (board["ann"]["num_trades"], board["ann"]["win_dollars"], board["ann"]["lose_dollars"]) == (
        3,
        Decimal(10),
        Decimal("-3.25"),
    )
    assert (board["bob"]["num_trades"], board["bob"]["num_wins"]) == (3, 1)


def test_a_trade_set_aside_while_another_comes_of_the_same_result_is_not_taken_for_it(tmp_path: Path) -> None:
    """Count and sum of the trader stay the same, gains and losses do not."""
    running = Exporter(Options(tmp_path / "running"))
    documents(running)
    nets = {Decimal("4.5"), Decimal("-3.25"), Decimal(10)}
    ids = [trade.pk for trade in Trade.objects.filter(trader="ann") if trade.net_pnl in nets]
    exclusions.set_aside([RecordKey(RecordKind.TRADE, name) for name in ids], reason="wrong", actor="mei")
    exclusions.set_aside([RecordKey(RecordKind.TRADE, ids[0])], reason="right", actor="mei", undo=True)
    assert documents(running) == documents(Exporter(Options(tmp_path / "new")))


def test_the_manifest_says_how_many_rows_were_set_aside(tmp_path: Path) -> None:
    exporter = Exporter(Options(tmp_path))
    assert exporter.cycle().set_aside == 0
    exclusions.set_aside(some_of_each(), reason="wrong", actor="mei")
    assert exporter.cycle().set_aside == 5
