"""Each document says of its traders what they are called, which model they ask, their version and their colour."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.factories import save_edit
from tests.trading.export.checks import documents_of
from tests.trading.export.record import fill_record
from trading.export.cycle import Exporter
from trading.export.directory.manifest import DocumentSource
from trading.export.parts.options import Options
from trading.schema.published import color_of

pytestmark = pytest.mark.django_db

LABELLED = {
    "positions": "accountTotals",
    "trades": "trades",
    "since-inception-values": "sinceInceptionValues",
    "leaderboard": "leaderboard",
    "analytics": "analytics",
    "conversations": "conversations",
}


@pytest.fixture
def exporter(tmp_path: Path) -> Exporter:
    fill_record()
    save_edit("bob", detail__display_name="Bob the bear", detail__llm__model="deepseek-chat")
    return Exporter(Options(tmp_path / "export"))


def rows_of(exporter: Exporter, trader_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(document, row) of each row that a label belongs to."""
    documents = documents_of(exporter.options.root)
    for name, key in LABELLED.items():
        for row in documents[name][key]:
            if (row["id"] if name == "leaderboard" else row["model_id"]) == trader_id:
                yield name, row
    yield f"analytics/{trader_id}", documents[f"analytics/{trader_id}"]["analytics"]
    *_, newest = (row for row in documents["account-totals"]["accountTotals"] if row["model_id"] == trader_id)
    yield "account-totals", newest


def test_every_document_labels_its_traders(exporter: Exporter) -> None:
    exporter.cycle(analytics_seconds=None)

    found = dict(rows_of(exporter, "bob"))
    assert set(found) == {*LABELLED, "analytics/bob", "account-totals"}
    for row in found.values():
        assert (row["display_name"], row["llm_model"], row["version"]) == ("Bob the bear", "deepseek-chat", 2)
        assert row["color"] == color_of("bob")


def test_a_trader_with_the_default_model_names_none(exporter: Exporter) -> None:
    save_edit("ann", detail__llm__model="")
    exporter.cycle(analytics_seconds=None)

    assert {row["llm_model"] for _, row in rows_of(exporter, "ann")} == {None}


def test_a_new_name_is_in_every_document_of_the_next_export(exporter: Exporter) -> None:
    exporter.cycle(analytics_seconds=None)
    save_edit("bob", detail__display_name="Bob the bull")
    exporter.cycle(analytics_seconds=None)

    assert {(row["display_name"], row["version"]) for _, row in rows_of(exporter, "bob")} == {("Bob the bull", 3)}


def test_an_exporter_that_starts_anew_labels_what_it_takes_over_once(exporter: Exporter) -> None:
    exporter.cycle(analytics_seconds=None)
    before = dict(rows_of(exporter, "bob"))
    manifest = Exporter(exporter.options).cycle(analytics_seconds=0)

    assert dict(rows_of(exporter, "bob"))["analytics"] == before["analytics"]
    text = (exporter.options.root / "current" / "analytics.json").read_text()
    assert text.count('"display_name"') == len(exporter.parts.analytics.rows)
    assert DocumentSource.PREVIOUS not in {entry.source for entry in manifest.files}


def test_a_paper_variant_says_so_in_every_document_and_no_other_trader_does(exporter: Exporter) -> None:
    save_edit("bob", allocation_pct=0, detail__paper_capital_usd=10_000)

    exporter.cycle(analytics_seconds=None)

    assert {name: row.get("paper_only") for name, row in rows_of(exporter, "bob")} == dict.fromkeys(
        [*LABELLED, "analytics/bob", "account-totals"], True
    )
    assert not any("paper_only" in row for _name, row in rows_of(exporter, "ann"))


def test_the_benchmark_is_labelled_too(exporter: Exporter) -> None:
    exporter.cycle(analytics_seconds=None)

    rows = documents_of(exporter.options.root)["account-totals"]["accountTotals"]
    *_, newest = (row for row in rows if row["model_id"] == "buynhold_btc")
    assert (newest["display_name"], newest["llm_model"], newest["version"]) == ("Buy and hold BTC", None, None)
    assert newest["color"] == color_of("buynhold_btc")
