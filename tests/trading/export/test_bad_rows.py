"""One bad row costs one row: every document is made with all the others, and what was left out is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import given

from tests.examples import few_examples
from tests.trading.bad_rows import (
    add_decision,
    add_equity,
    add_position,
    add_trade,
    added,
    decision_detail,
    mutated,
    position_detail,
    trade_detail,
)
from tests.trading.export.record import fill_record, read
from trading.export.cycle import Exporter
from trading.export.directory.manifest import Manifest
from trading.export.parts.options import Options
from trading.export.status import file as status
from trading.live import services as live

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db: None, tmp_path: Path) -> Path:
    fill_record()
    return tmp_path / "export"


def exported(root: Path) -> tuple[Exporter, Manifest]:
    exporter = Exporter(Options(root))
    return exporter, exporter.cycle(analytics_seconds=None)


def left_out(exporter: Exporter) -> dict[str, str]:
    """{id: path} of the rows that the export named."""
    return {row.id: row.path for row in exporter.parts.left_out.rows}


def every_document_is_made(manifest: Manifest) -> None:
    assert [(entry.name, entry.error) for entry in manifest.files if entry.is_stale] == []


def test_a_trade_with_unknown_leaves_is_shown_without_them(root: Path) -> None:
    detail = trade_detail(pnl={"net": 9, "gross": 10, "commission": 1, "funding": -0.4}, build={"sha": "9f"})
    trade_id = add_trade("ann", detail)
    exporter, manifest = exported(root)

    every_document_is_made(manifest)
    shown = {row["id"]: row for row in read(root, "trades")["trades"]}
    assert shown[trade_id]["realized_net_pnl"] == 9
    assert not left_out(exporter)


def test_a_trade_that_cannot_be_read_costs_itself_alone(root: Path) -> None:
    before = {row["id"] for row in _trades(root)}
    trade_id = add_trade("ann", trade_detail(fills={"type": "entry"}))
    exporter, manifest = exported(root)

    every_document_is_made(manifest)
    assert {row["id"] for row in read(root, "trades")["trades"]} == before
    assert left_out(exporter) == {trade_id: "detail.fills"}
    assert manifest.unreadable == 1


def test_many_unreadable_trades_take_no_readable_ones_place(root: Path) -> None:
    before = {row["id"] for row in _trades(root)}
    for number in range(60):
        add_trade("ann", trade_detail(risk={"leverage": "7"}), number=number)
    exporter = Exporter(Options(root, trades=3))
    every_document_is_made(exporter.cycle(analytics_seconds=None))

    assert {row["id"] for row in read(root, "trades")["trades"]} == before
    assert len(left_out(exporter)) == 60
    # What is known to be unreadable is named at the next cycle as well.
    every_document_is_made(exporter.cycle(analytics_seconds=None))
    assert len(left_out(exporter)) == 60


@pytest.mark.parametrize("leaf", ["margin_mode", "entry", "reported"])
def test_a_position_with_unknown_leaves_is_shown_without_them(root: Path, leaf: str) -> None:
    detail = position_detail()
    detail[leaf] = {**detail.get(leaf, {}), "of_another_release": "cross"}
    add_position("bob", detail)
    exporter, manifest = exported(root)

    every_document_is_made(manifest)
    held = {row["model_id"]: set(row["positions"]) for row in read(root, "positions")["accountTotals"]}
    assert held == {"ann": {"BTC"}, "bob": {"SOL"}, "cyd": set()}
    assert not left_out(exporter)


def test_a_position_that_cannot_be_read_costs_itself_alone_until_it_is_mended(root: Path) -> None:
    position_id = add_position("bob", position_detail(orders=[7]))
    exporter, manifest = exported(root)

    every_document_is_made(manifest)
    held = {row["model_id"]: set(row["positions"]) for row in read(root, "positions")["accountTotals"]}
    assert held == {"ann": {"BTC"}, "bob": set(), "cyd": set()}
    assert left_out(exporter) == {position_id: "detail.orders"}

    exporter.cycle(analytics_seconds=None)
    assert left_out(exporter) == {position_id: "detail.orders"}
    with connection.cursor() as cursor:
        cursor.execute("UPDATE positions SET detail = detail - 'orders' WHERE id = %s", [position_id])
    exporter.cycle(analytics_seconds=None)
    assert not left_out(exporter)
    assert set(read(root, "positions")["accountTotals"][1]["positions"]) == {"SOL"}


def test_an_unknown_action_is_shown_by_its_word(root: Path) -> None:
    number = add_decision(
        "ann",
        decision_detail(
            decisions=[
                {"symbol": "BTC", "action": "partial_close", "close_pct": 50},
                {"symbol": "ETH", "action": "hold"},
            ],
            engine_build="9f",
        ),
    )
    exporter, manifest = exported(root)

    every_document_is_made(manifest)
    shown = {row["id"]: row for row in read(root, "conversations")["conversations"]}
    assert {coin: one["signal"] for coin, one in shown[number]["llm_response"].items()} == {
        "BTC": "partial_close",
        "ETH": "hold",
    }
    assert not left_out(exporter)


@pytest.mark.parametrize("detail", ["[]", '"text"', "null", "7", '{"decisions": {}}', '{"actions": "done"}'])
def test_a_decision_that_cannot_be_read_costs_itself_alone(root: Path, detail: str) -> None:
    before = {row["id"] for row in _conversations(root)}
    number = add_decision("ann", detail)
    exporter, manifest = exported(root)

    every_document_is_made(manifest)
    assert {row["id"] for row in read(root, "conversations")["conversations"]} == before
    assert set(left_out(exporter)) == {number}


def test_a_detail_nested_too_deep_for_python_costs_its_row_alone(root: Path) -> None:
    deep = "[" * 3_000 + "]" * 3_000
    number = add_decision("ann", f'{{"decisions": [], "x": {deep}}}')
    exporter, manifest = exported(root)

    every_document_is_made(manifest)
    assert left_out(exporter) == {number: "detail"}


def test_a_number_too_long_for_python_costs_its_row_alone(root: Path) -> None:
    number = add_decision("ann", '{"usage": {"prompt_tokens": ' + "1" * 6_000 + '}, "account": {"equity_usd": 1e9000}}')
    exporter, manifest = exported(root)

    every_document_is_made(manifest)
    assert set(left_out(exporter)) == {number}


@pytest.mark.parametrize("equity", ["NaN", "Infinity", "-Infinity", "1e30"])
def test_equity_that_is_no_number_counts_nowhere(root: Path, equity: str) -> None:
    _, before = exported(root)
    accounts = read(root, "account-totals")["accountTotals"]
    row = add_equity("ann", equity)
    exporter, manifest = exported(root)

    every_document_is_made(manifest)
    assert read(root, "account-totals")["accountTotals"] == accounts
    assert left_out(exporter) == {row: "equity_usd"}
    assert not before.unreadable


def test_equity_that_is_no_number_is_left_out_while_the_exporter_goes_on(root: Path) -> None:
    exporter, _ = exported(root)
    row = add_equity("ann", "NaN")

    every_document_is_made(exporter.cycle(analytics_seconds=None))
    assert left_out(exporter) == {row: "equity_usd"}


@pytest.mark.parametrize("ts_ms", [0, 1, 9 * 10**18])
def test_equity_of_a_time_that_is_none_moves_no_hour(root: Path, ts_ms: int) -> None:
    exported(root)
    accounts = read(root, "account-totals")["accountTotals"]
    row = add_equity("ann", "1000", ts_ms=ts_ms)
    exporter, manifest = exported(root)

    every_document_is_made(manifest)
    assert read(root, "account-totals")["accountTotals"] == accounts
    assert left_out(exporter) == {row: "ts_ms"}


@pytest.mark.parametrize("close_ts_ms", [5_000, 8 * 10**15])
def test_a_trade_of_a_time_that_is_none_moves_no_hour(root: Path, close_ts_ms: int) -> None:
    exported(root)
    accounts = read(root, "account-totals")["accountTotals"]
    time = {"open_ts_ms": close_ts_ms - 1000, "close_ts_ms": close_ts_ms, "duration_seconds": 1}
    trade_id = add_trade("ann", trade_detail(time=time), close_ts_ms=close_ts_ms)
    exporter, manifest = exported(root)

    every_document_is_made(manifest)
    assert read(root, "account-totals")["accountTotals"] == accounts
    assert set(left_out(exporter)) == {trade_id}


@pytest.mark.parametrize("moment", ["infinity", "-infinity", "20000-01-01"])
def test_a_decision_of_a_time_that_python_cannot_hold_costs_itself_alone(root: Path, moment: str) -> None:
    before = {row["id"] for row in _conversations(root)}
    number = add_decision("bob", decision_detail(), decided_at=moment)
    exporter, manifest = exported(root)

    every_document_is_made(manifest)
    assert {row["id"] for row in read(root, "conversations")["conversations"]} == before
    assert left_out(exporter) == {number: "decided_at"}


def test_the_status_counts_and_names_what_was_left_out(root: Path) -> None:
    trade_id = add_trade("ann", trade_detail(fills=5))
    row = add_equity("ann", "NaN")
    call_command("export_json", once=True, dir=root)

    found = status.read(root)
    assert found is not None
    assert found.unreadable == {"trades": 1, "equity_snapshots": 1}
    assert {one.id: one.path for one in found.unreadable_rows} == {trade_id: "detail.fills", row: "equity_usd"}
    reasons = {one.id: one.reason.msgid for one in found.unreadable_rows}
    assert reasons[row] == "%(rule)s, is %(value)s", "a page can translate it"


TRADE, POSITION, DECISION = mutated(trade_detail()), mutated(position_detail()), mutated(decision_detail())


@given(trade=TRADE, position=POSITION, decision=DECISION)
@few_examples()
def test_whatever_is_stored_stops_no_document_and_hides_no_other_row(
    root: Path, trade: Any, position: Any, decision: Any
) -> None:
    with transaction.atomic():
        stored = {
            added(lambda: add_trade("ann", trade)),
            added(lambda: add_position("bob", position)),
            added(lambda: add_decision("cyd", decision)),
        }
        exporter, manifest = exported(root)

        every_document_is_made(manifest)
        shown = _shown(root)
        assert {name: len(ids) for name, ids in shown.items()} == {"trades": 8, "positions": 1, "conversations": 1}
        assert stored - {None} <= set(_foreign(root)) | left_out(exporter).keys()
        assert live.rebuild_all() == 3
        transaction.set_rollback(True)


def _shown(root: Path) -> dict[str, set[str]]:
    """What is shown of the rows that this release wrote itself."""
    held = {row["model_id"]: row["positions"] for row in read(root, "positions")["accountTotals"]}
    conversations = read(root, "conversations")["conversations"]
    return {
        "trades": {row["trade_id"] for row in read(root, "trades")["trades"] if "sql" not in row["id"]},
        "positions": set(held["ann"]),
        "conversations": {row["id"] for row in conversations if row["model_id"] == "bob"},
    }


def _foreign(root: Path) -> list[str]:
    """Ids of the shown rows that were inserted by SQL."""
    held = {row["model_id"]: row["positions"] for row in read(root, "positions")["accountTotals"]}
    return [
        *(row["id"] for row in read(root, "trades")["trades"]),
        *(f"bob|{symbol}" for symbol in held["bob"]),
        *(row["id"] for row in read(root, "conversations")["conversations"]),
    ]


def _trades(root: Path) -> list[Any]:
    exported(root)
    found: list[Any] = read(root, "trades")["trades"]
    return found


def _conversations(root: Path) -> list[Any]:
    exported(root)
    found: list[Any] = read(root, "conversations")["conversations"]
    return found
