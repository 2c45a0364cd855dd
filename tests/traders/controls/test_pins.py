"""Nothing but a pin and an unpin decides which version is to run."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import TRADER, ask, ask_fleet, effect
from traders.controls.wanted import wanted_of_one
from traders.schema.problems import InvalidConfig
from traders.versions import services as configs
from traders.versions.bulk.rules import BulkVerb, Operation
from traders.versions.bulk.services import propose_bulk, save_bulk
from traders.versions.restore.services import restore
from traders.versions.undo.services import UndoScope, propose_undo, undo

pytestmark = pytest.mark.django_db

LEVERAGE = "detail.risk.major_coin_leverage"


@pytest.fixture(autouse=True)
def _fleet() -> None:
    """Two versions, of which the first is pinned."""
    sync_traders(make_trader(detail__auto_start=True))
    save_edit(TRADER, detail__risk__max_positions=4)
    ask("pin", version=1)


def by_a_sync() -> None:
    sync_traders(make_trader(detail__auto_start=True, allocation_pct=Decimal(7)))


def by_an_edit() -> None:
    save_edit(TRADER, detail__risk__max_positions=5)


def by_a_bulk_edit() -> None:
    operations = [Operation(LEVERAGE, BulkVerb.SET, 2)]
    seen = propose_bulk(trader_ids=[TRADER], operations=operations).seen
    save_bulk(trader_ids=[TRADER], operations=operations, seen=seen, reason="less", actor="mei")


def by_an_undo() -> None:
    change_set, scope = configs.existing(TRADER).change_set, UndoScope()
    seen = propose_undo(change_set=change_set, scope=scope).fleet.seen
    undo(change_set=change_set, scope=scope, seen=seen, reason="was wrong", actor="lee")


def by_a_restore() -> None:
    restore(config_id=TRADER, version=1, expected_version=2, reason="as it was", actor="lee")


@pytest.mark.parametrize("change", [by_a_sync, by_an_edit, by_a_bulk_edit, by_an_undo, by_a_restore])
def test_a_newer_version_moves_no_pin(change: Callable[[], None]) -> None:
    change()
    assert configs.existing(TRADER).version == 3
    assert wanted_of_one(TRADER).pinned_version == 1


@pytest.mark.parametrize("kind", ["start", "stop", "drain", "pause"])
def test_no_other_control_moves_a_pin(kind: str) -> None:
    ask(kind)
    ask_fleet("stop")
    ask_fleet("release")
    assert wanted_of_one(TRADER).pinned_version == 1


def test_controls_hold_for_a_pinned_version_too() -> None:
    ask_fleet("stop")
    assert effect() == "entries_banned"
    ask("stop")
    assert effect() == "stopped"


@pytest.mark.parametrize(
    ("name", "text", "path"),
    [
        ("llm.yaml", "models:\n  gpt-5:\n    provider: openai\n    model_name: gpt-5\n", "detail.llm.model"),
        ("exchange.yaml", "providers:\n  elsewhere: {type: sim}\n", "exchange_provider"),
        ("market.yaml", "providers:\n  elsewhere: {type: hyperliquid}\n", "market_provider"),
    ],
)
def test_a_pin_to_a_version_whose_model_or_provider_is_gone_is_refused(
    name: str, text: str, path: str, tmp_path: Path, settings: Settings
) -> None:
    (tmp_path / name).write_text(text)
    settings.MANAGER_YAML = tmp_path / "manager.yaml"
    with pytest.raises(InvalidConfig) as refused:
        ask("pin", version=2)
    assert [problem.path for problem in refused.value.problems] == [path]
    assert wanted_of_one(TRADER).pinned_version == 1
