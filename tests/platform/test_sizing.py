"""The sizes of docs/scale.md are computed from the benchmarks' own figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from benchmarks import figures, sizing
from benchmarks.report import Table

UNIT = sizing.Unit(
    traders=1_000,
    trade_bytes=1_000,
    decision_bytes=5_000,
    message_bytes=2_000,
    equity_point_bytes=100,
    export_idle_s=0.6,
    export_first_s=6.0,
    cycle_cpu_s=0.09,
)


def row(table: Table, traders: str) -> list[str]:
    return next(list(cells[1:]) for cells in table.rows if cells[0] == traders)


def test_a_thousand_traders_decide_480000_times_a_day() -> None:
    assert row(sizing.rows_a_day(UNIT), "1,000") == ["480,000", "960,000", "480,000", "5,000"]


def test_the_disk_is_the_bytes_of_each_row_times_the_rows_of_a_day() -> None:
    # 480,000 x 5,000 B, 960,000 x 2,000 B, 480,000 x 100 B, 5,000 x 1,000 B.
    assert row(sizing.bytes_a_day(UNIT), "1,000") == ["2.40", "1.92", "0.05", "0.01", "1,596"]


def test_processors_are_cycles_a_second_and_exports_a_minute() -> None:
    # 1,000 / 180 cycles of 0.09 s; 0.6 s and 6 s of each minute.
    assert row(sizing.processors(UNIT), "1,000")[:2] == ["0.50", "0.01 to 0.10"]
    assert row(sizing.processors(UNIT), "10,000")[:2] == ["5.00", "0.10 to 1.00"]


def test_each_size_names_the_step_that_comes_next() -> None:
    steps = [row(sizing.processors(UNIT), f"{traders:,}")[2] for traders in sizing.SIZES]
    assert steps[0] == "none: one machine"
    assert "replica" in steps[1]
    assert steps[2].startswith("6 managers by shares")
    assert steps[3].startswith("Citus")


def test_figures_of_sections_that_were_not_measured_stay(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    figures.write({"scale": {"traders": 10}, "manager": {}}, "then", path)
    figures.write({"export": {"idle_s": 0.1}}, "now", path)
    assert json.loads(path.read_text()) == {
        "export": {"idle_s": 0.1, "measured": "now"},
        "scale": {"traders": 10, "measured": "then"},
    }


def test_the_page_holds_what_its_figures_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A copy: tests in another process may read the page while it is written.
    before = sizing.PAGE.read_text(encoding="utf-8")
    page = tmp_path / sizing.PAGE.name
    page.write_text(before, encoding="utf-8")
    monkeypatch.setattr(sizing, "PAGE", page)
    sizing.main()
    assert page.read_text(encoding="utf-8") == before


@pytest.mark.slow
def test_a_small_fleet_is_measured_whole() -> None:
    command = [sys.executable, "-m", "benchmarks", "scale", "--scale", "10", "200", "400"]
    said = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False, timeout=400)
    assert said.returncode == 0, said.stderr
    for part in ("Sync of 10 traders", "Bytes on disk", "Hot queries", "Pages", "Export"):
        assert f"### {part}" in said.stdout
