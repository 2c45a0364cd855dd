"""The documents of an export of ours come back: nothing is refused, nothing doubled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from demo import services as demo
from demo.sample.plan import SamplePlan
from tests.trading.export.checks import documents_of
from tests.trading.export.record import fill_record, read
from trading.export.cycle import Exporter
from trading.export.documents.wire import encode
from trading.export.parts.options import Options
from trading.imports.arena_service import import_arena
from trading.imports.report import ImportReport
from trading.models import (
    ConversationMessage,
    DecisionJournal,
    EquitySnapshot,
    Position,
    Trade,
    VersionResult,
)
from trading.record.corrections.services import correct
from trading.schema.exclusion import RecordKey, RecordKind, equity_id
from trading.schema.published import without_label
from trading.schema.reject import Reject

pytestmark = pytest.mark.django_db

PLAN = SamplePlan(traders=3, days=4, trades=30, seed=5, end=datetime(2026, 11, 1, tzinfo=UTC))
TABLES = (Trade, Position, DecisionJournal, ConversationMessage, EquitySnapshot, VersionResult)
# Every decision and trade of the plan.
ALL = {"trades": 10_000, "conversations": 100_000}
KEYS = {
    "positions": "accountTotals",
    "trades": "trades",
    "account-totals": "accountTotals",
    "since-inception-values": "sinceInceptionValues",
    "leaderboard": "leaderboard",
}


@contextmanager
def on_a_site_of_its_own() -> Iterator[None]:
    """What is written inside is gone afterwards."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def exported(root: Path, **options: Any) -> Path:
    Exporter(Options(root, **ALL | options)).cycle(analytics_seconds=None)
    return root / "current"


def imported(path: Path) -> ImportReport:
    refused: list[str] = []
    report = import_arena(path=path, actor="cli:test", on_reject=lambda one: refused.append(str(one)))
    assert refused == []
    return report


def everything() -> list[Any]:
    """Every row of the record."""
    return [list(model.objects.order_by("pk").values_list()) for model in TABLES]


def rows_of(root: Path) -> dict[str, list[dict[str, Any]]]:
    """What the documents say of the record, by document; not of the configurations."""
    documents = documents_of(root)
    found = {name: [without_label(row) for row in documents[name][key]] for name, key in KEYS.items()}
    found["conversations"] = [_said(row) for row in documents["conversations"]["conversations"]]
    found["crypto-prices"] = list(documents["crypto-prices"]["prices"].values())
    return found


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """Without the numbers that a site gives, and the version, which another site does not have."""
    taken = {name: value for name, value in (row["decision"] or {}).items() if name != "config_version"}
    return without_label(row) | {"id": None, "decision": taken}


def test_into_the_same_database_nothing_changes(tmp_path: Path) -> None:
    demo.generate(PLAN)
    before = everything()

    report = imported(exported(tmp_path / "export"))

    assert everything() == before
    assert {table.inserted for table in report.tables.values()} == {0}
    assert report.tables["trades"].known == Trade.objects.count()
    assert report.tables["decision_journal"].known == DecisionJournal.objects.count()
    assert report.tables["equity_snapshots"].known == EquitySnapshot.objects.count()
    assert report.tables["positions"].known == Position.objects.filter(status="open").count() > 0


def test_into_an_empty_database_the_same_record_arises(tmp_path: Path) -> None:
    with on_a_site_of_its_own():
        demo.generate(PLAN)
        first = exported(tmp_path / "first")
        messages = ConversationMessage.objects.count()
    assert Trade.objects.count() == 0

    imported(first)
    second = exported(tmp_path / "second")

    assert ConversationMessage.objects.count() == messages > 0
    was, now = rows_of(tmp_path / "first"), rows_of(second.parent)
    for name in was:
        assert now[name] == was[name], name
    before = everything()
    imported(second)
    assert everything() == before


def test_equity_that_is_made_of_trades_is_not_imported_as_if_it_were_recorded(tmp_path: Path) -> None:
    """`bob` has trades and no equity, `cyd` has nothing."""
    fill_record()
    before = everything()

    report = imported(exported(tmp_path / "export"))

    assert everything() == before
    assert report.tables["equity_snapshots"].derived > 0


def test_an_export_without_prompts_comes_back_too(tmp_path: Path) -> None:
    with on_a_site_of_its_own():
        demo.generate(PLAN)
        first = exported(tmp_path / "first", is_withheld=True)
        decisions = DecisionJournal.objects.count()

    imported(first)

    assert DecisionJournal.objects.count() == decisions
    assert ConversationMessage.objects.count() == 0


def test_a_decision_that_cannot_be_is_refused_by_name(tmp_path: Path) -> None:
    fill_record()
    exported(tmp_path / "export")
    (item,) = read(tmp_path / "export", "conversations")["conversations"]
    wrong = [
        *({"decided_at": "yesterday"}, {"decided_at": "1999-01-01T00:00:00Z"}, {"success": "yes"}),
        *({"config_version": 1.5}, {"decisions": [{"symbol": "BTC"}]}, {"error": "\0"}),
        *({"decisions": [{"symbol": "BTC", "action": word}]} for word in ("", "a\0", "a" * 65)),
    ]
    items = [item | {"decision": item["decision"] | changed} for changed in wrong]
    items += [item | {"user_prompt": "\0"}, item | {"id": "\0"}]
    (tmp_path / "again").mkdir()
    path = tmp_path / "again" / "conversations.json"
    path.write_bytes(encode({"conversations": items}))

    rejects: list[Reject] = []
    report = import_arena(path=path, actor="cli:test", on_reject=rejects.append)

    assert [one.field for one in rejects] == [
        *("decision.decided_at", "decision.decided_at", "decision.success", "decision.config_version"),
        *("decision.decisions.0.action", "decision.error", *["decision.decisions.0.action"] * 3),
        *("user_prompt", "id"),
    ]
    assert report.tables["conversation_messages"].refused == len(items)
    assert DecisionJournal.objects.count() == 1


@pytest.mark.parametrize("version", [0, -1, 10**30])
def test_a_version_that_never_was_is_that_of_the_moment(tmp_path: Path, version: int) -> None:
    fill_record()
    exported(tmp_path / "export")
    (item,) = read(tmp_path / "export", "conversations")["conversations"]
    moved = {"decided_at": "2025-01-01T00:00:00Z", "config_version": version}
    path = tmp_path / "conversations.json"
    path.write_bytes(encode({"conversations": [item | {"decision": item["decision"] | moved}]}))

    imported(path)

    assert DecisionJournal.objects.latest("pk").config_version is None


def test_a_marked_price_comes_back_with_its_moment(tmp_path: Path) -> None:
    with on_a_site_of_its_own():
        demo.generate(PLAN)
        first = exported(tmp_path / "first")
        accounts = read(first.parent, "positions")["accountTotals"]
    imported(first)

    row = next(row for row in accounts if row["positions"])
    held = next(iter(row["positions"].values()))
    detail = Position.objects.get(trader=row["model_id"], symbol=held["symbol"], status="open").detail
    assert held["price_is_stale"] is True
    assert (detail["reported"]["at_ms"], detail["reported"]["current_price"]) == (
        held["price_timestamp"],
        held["current_price"],
    )
    assert "price_is_stale" not in detail["origin"]["fields"]


def test_what_was_corrected_or_set_aside_stays_so(tmp_path: Path) -> None:
    demo.generate(PLAN)
    trade, decision = Trade.objects.earliest("pk"), DecisionJournal.objects.earliest("pk")
    point = EquitySnapshot.objects.order_by("trader", "ts_ms")[5]
    for kind, name, right in (
        (RecordKind.TRADE, trade.pk, {"pnl.net": 1}),
        (RecordKind.DECISION, str(decision.pk), {"success": not decision.success}),
        (RecordKind.EQUITY, equity_id(point.trader_id, point.ts_ms), {"equity_usd": 9_000}),
    ):
        correct(RecordKey(kind, name), right, reason="the statement", actor="cli:test", trader_id=None)
    before = everything()

    imported(exported(tmp_path / "export"))

    assert everything() == before
