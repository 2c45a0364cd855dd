"""The arena's account-totals: a trader's equity at each row's moment."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.trading.arena_sample import STARTED, account_row, write
from trading.imports.arena_service import import_arena
from trading.imports.report import TableReport
from trading.models import EquitySnapshot, Position
from trading.schema.reject import Reject

pytestmark = pytest.mark.django_db

Import = Callable[..., tuple[TableReport, list[Reject]]]


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    def run(*records: Any) -> tuple[TableReport, list[Reject]]:
        rejects: list[Reject] = []
        path = write(tmp_path, "account-totals.json", "accountTotals", list(records))
        report = import_arena(path=path, actor="cli:test", on_reject=rejects.append)
        return report.table("equity_snapshots"), rejects

    return run


def test_each_row_is_a_point_of_equity(imported: Import) -> None:
    table, rejects = imported(account_row(0), account_row(1), account_row(0, "basalt.2", realized_pnl=None))

    assert (table.inserted, rejects) == (3, [])
    assert list(EquitySnapshot.objects.filter(trader="amber-7b").order_by("ts_ms").values_list(*COLUMNS)) == [
        (1_750_000_000_250, Decimal(10_000), Decimal(0), Decimal("-0.5"), "imported"),
        (1_750_003_600_250, Decimal(10_007), Decimal("1.5"), Decimal("-0.5"), "imported"),
    ]


COLUMNS = ("ts_ms", "equity_usd", "realized_pnl_usd", "unrealized_pnl_usd", "source")


def test_rows_that_come_again_are_known(imported: Import) -> None:
    imported(account_row(0), account_row(1))
    table, rejects = imported(account_row(0), account_row(1), account_row(2))

    assert (table.inserted, table.known, rejects) == (1, 2, [])


def test_another_equity_of_a_moment_is_a_conflict(imported: Import) -> None:
    imported(account_row(0))
    table, (reject,) = imported(account_row(0, dollar_equity=9_999))

    assert (table.inserted, table.conflicts) == (0, 1)
    assert "amber-7b 1750000000250" in reject.message
    assert EquitySnapshot.objects.get().equity_usd == 10_000


def test_the_benchmark_and_what_is_made_of_trades_are_not_imported(imported: Import) -> None:
    table, rejects = imported(account_row(0, "buynhold_btc"), account_row(1, derived=True), account_row(2))

    assert (table.inserted, table.skipped, table.derived, rejects) == (1, 1, 1, [])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timestamp", STARTED * 1000),
        ("timestamp", None),
        ("dollar_equity", None),
        ("dollar_equity", "10000"),
        ("realized_pnl", True),
        ("model_id", "no id"),
    ],
)
def test_a_row_that_is_wrong_is_refused_by_name_and_the_others_are_taken(
    imported: Import, field: str, value: Any
) -> None:
    table, (reject,) = imported(account_row(0), account_row(1, **{field: value}))

    assert (table.inserted, table.refused) == (1, 1)
    assert (reject.file, reject.index, reject.field) == ("account-totals.json", 1, field)


def test_positions_come_from_positions_json_alone(imported: Import) -> None:
    imported(account_row(0, positions={"BTC": {"symbol": "BTC"}}))

    assert Position.objects.count() == 0


def test_the_documents_object_may_hold_other_keys(tmp_path: Path) -> None:
    path = tmp_path / "account-totals.json"
    path.write_text(json.dumps({"lastHourlyMarkerRead": 0, "accountTotals": [account_row(0)], "serverTime": 1}))
    report = import_arena(path=path, actor="cli:test", on_reject=lambda _one: None)

    assert report.table("equity_snapshots").inserted == 1
