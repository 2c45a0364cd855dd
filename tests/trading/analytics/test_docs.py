"""docs/analytics.md gives every figure."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from trading.analytics.groups.keys import GroupBy
from trading.analytics.summary import Performance
from trading.analytics.tables.all import tables

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "analytics.md").read_text()


def test_every_headline_figure_and_every_table_is_described() -> None:
    names = {each.name for each in fields(Performance)} - {"tables"} | set(tables([]))

    assert {name for name in names if f"`{name}`" not in PAGE} == set()


def test_every_way_of_grouping_is_named() -> None:
    assert {by for by in GroupBy if by.value not in PAGE} == set()
