"""Every document of an export against the contract, and every number against the rows by another way."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.trading.arena_sample import write_all
from tests.trading.export.checks import CHECKS, documents_of, read
from tests.trading.export.record import fill_record
from tests.trading_factories import OPENED_MS
from trading.export.cycle import Exporter
from trading.export.parts.options import Options
from trading.schema.published import without_label

pytestmark = pytest.mark.django_db

ARENA = Path(__file__).resolve().parents[4] / "shared" / "data" / "alpha-arena"
HOUR_MS = 3_600_000


def import_arena(source: Path, scratch: Path) -> None:
    try:
        call_command("import_arena", str(source), "--rejects", str(scratch / "rejects"), stdout=StringIO())
    except SystemExit as ended:
        # Refused records are the import's matter.
        if ended.code != 3:
            raise


def exported(root: Path) -> dict[str, Any]:
    Exporter(Options(root)).cycle(analytics_seconds=None)
    return documents_of(root)


def what_the_arena_gave_comes_back(documents: dict[str, Any]) -> None:
    given = {row["id"]: row for row in read(ARENA / "trades.json")["trades"]}

    assert documents["trades"]["trades"]
    for row in documents["trades"]["trades"]:
        assert without_label(row) == given[row["id"]]
    published = {row["id"]: row for row in read(ARENA / "leaderboard.json")["leaderboard"]}
    for row in documents["leaderboard"]["leaderboard"]:
        assert row["equity"] == published[row["id"]]["equity"]
        assert abs(row["return_pct"] - published[row["id"]]["return_pct"]) < Decimal("0.01")
    positions = {row["model_id"]: row["positions"] for row in read(ARENA / "positions.json")["accountTotals"]}
    for row in documents["positions"]["accountTotals"]:
        for symbol, held in row["positions"].items():
            assert {name: held[name] for name in positions[row["model_id"]][symbol]} == positions[row["model_id"]][
                symbol
            ]


def hours_count_from_the_first_equity_and_show_their_first_point(documents: dict[str, Any]) -> None:
    ann = [row for row in documents["account-totals"]["accountTotals"] if row["model_id"] == "ann"]

    assert [row["since_inception_hourly_marker"] for row in ann] == list(range(30))
    assert [row["dollar_equity"] for row in ann] == [*(1000 + hour for hour in range(29)), 1229]
    assert ann[-1]["timestamp"] == Decimal(OPENED_MS + 29 * HOUR_MS + 60_000) / 1000
    assert ann[5]["since_inception_minute_marker"] == 300
    assert ann[5]["cum_pnl_pct"] == Decimal("0.5")
    assert ann[5]["id"] == "ann_5"


def test_the_documents_of_a_site(tmp_path: Path) -> None:
    fill_record()
    documents = exported(tmp_path / "export")

    for holds in (*CHECKS, hours_count_from_the_first_equity_and_show_their_first_point):
        holds(documents)


def test_the_documents_of_a_small_arena(tmp_path: Path) -> None:
    (tmp_path / "arena").mkdir()
    import_arena(write_all(tmp_path / "arena"), tmp_path)
    documents = exported(tmp_path / "export")

    for holds in CHECKS:
        holds(documents)


@pytest.mark.skipif(not (ARENA / "trades.json").exists(), reason=f"no records in {ARENA}")
def test_the_documents_of_real_records(tmp_path: Path) -> None:
    import_arena(ARENA, tmp_path)
    documents = exported(tmp_path / "export")

    for holds in (*CHECKS, what_the_arena_gave_comes_back):
        holds(documents)
