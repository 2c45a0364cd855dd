from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from pytest_django.fixtures import Settings

from tests.factories import make_file, make_trader, new_trader, save_edit, sync_traders
from tests.traders.versions.test_histories import changes as some_changes
from tests.traders.versions.test_histories import names as some_names
from tests.traders.versions.test_histories import perform, rolled_back
from traders.schema.paths import diff
from traders.schema.problems import InvalidConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.sync.services import sync
from traders.versions import services as configs
from traders.versions.bulk.rules import BulkVerb, Operation
from traders.versions.bulk.services import propose_bulk, save_bulk
from traders.versions.rules.errors import UnknownChangeSet
from traders.versions.undo.services import UndoScope, propose_restore_to, propose_undo, restore_to, undo

pytestmark = pytest.mark.django_db

LEVERAGE = "detail.risk.major_coin_leverage"
POSITIONS = "detail.risk.max_positions"


EVERYTHING = UndoScope()


def halved(*names: str) -> int:
    """Halves the leverage of these traders and sets their positions; returns the change set."""
    operations = [Operation(LEVERAGE, BulkVerb.TIMES, Decimal("0.5")), Operation(POSITIONS, BulkVerb.SET, 9)]
    seen = propose_bulk(trader_ids=names, operations=operations).seen
    saved = save_bulk(trader_ids=names, operations=operations, seen=seen, reason="halve", actor="mei")
    return saved[0].change_set


def undo_change_set(change_set: int, scope: UndoScope = EVERYTHING) -> None:
    seen = propose_undo(change_set=change_set, scope=scope).fleet.seen
    undo(change_set=change_set, scope=scope, seen=seen, reason="was wrong", actor="lee")


def two_traders() -> None:
    sync_traders(make_trader("a"), make_trader("b"))


def test_undoing_a_change_set_reverses_every_trader_in_one_change_set() -> None:
    two_traders()
    before = {name: configs.existing(name).flat for name in ("a", "b")}
    change_set = halved("a", "b")

    undo_change_set(change_set)

    stored = [configs.existing(name) for name in ("a", "b")]
    assert {name: configs.existing(name).flat for name in ("a", "b")} == before
    assert {(at.version, at.source, at.changed_by) for at in stored} == {(3, "undo", "lee")}
    assert len({at.change_set for at in stored}) == 1


def test_a_path_touched_since_is_contested_and_stays_unless_chosen() -> None:
    two_traders()
    change_set = halved("a", "b")
    save_edit("a", detail__risk__major_coin_leverage=15)

    proposal = propose_undo(change_set=change_set)
    assert [(change.path, change.old, change.new) for change in proposal.contested["a"]] == [(LEVERAGE, 15, 20)]
    undo_change_set(change_set)
    assert (configs.existing("a").flat[LEVERAGE], configs.existing("a").flat[POSITIONS]) == (15, 3)

    undo_change_set(change_set, UndoScope(chosen=frozenset({("a", LEVERAGE)})))
    assert configs.existing("a").flat[LEVERAGE] == 20


def test_only_chosen_traders_and_paths_are_undone() -> None:
    two_traders()
    change_set = halved("a", "b")

    undo_change_set(change_set, UndoScope(config_ids=frozenset({"a"}), paths=frozenset({POSITIONS})))

    a, b = configs.existing("a").flat, configs.existing("b").flat
    assert (a[LEVERAGE], a[POSITIONS], b[LEVERAGE], b[POSITIONS]) == (10, 3, 10, 9)


def test_undoing_the_creation_of_a_trader_retires_it() -> None:
    two_traders()
    report = sync(file=make_file(make_trader("a"), make_trader("b"), make_trader("c")), actor="cli:mei")
    assert report.change_set is not None

    assert propose_undo(change_set=report.change_set).created == ("c",)
    undo_change_set(report.change_set)

    assert configs.existing("c").flat["detail.retired"] is True


def test_an_undo_is_held_to_the_fleet_rule_of_today() -> None:
    sync_traders(make_trader("a", allocation_pct=Decimal(80)))
    saved = save_edit("a", allocation_pct=Decimal(10))
    new_trader("b", allocation_pct=Decimal(50))
    assert saved is not None

    with pytest.raises(InvalidConfig, match="fleet's sum 130"):
        undo_change_set(saved.change_set)


def test_an_unknown_change_set_is_said() -> None:
    with pytest.raises(UnknownChangeSet, match="change set 999999"):
        propose_undo(change_set=999999)


def test_the_fleet_goes_back_to_a_moment_in_one_change_set() -> None:
    two_traders()
    halved("a", "b")
    moment = configs.existing("b").changed_at
    then = {name: configs.existing(name).flat for name in ("a", "b", FLEET_ID)}
    save_edit("a", detail__risk__max_positions=2)
    save_edit(FLEET_ID, detail__manager__allocation_strategy="equal")
    new_trader("later")

    proposal = propose_restore_to(moment=moment)
    assert {part.config_id for part in proposal.parts} == {"a", FLEET_ID}
    restore_to(
        moment=moment,
        scope=UndoScope(),
        seen=proposal.seen,
        reason="monday's fleet",
        actor="lee",
        may_change_fleet=True,
    )

    assert {name: configs.existing(name).flat for name in ("a", "b", FLEET_ID)} == then
    assert configs.existing("later").version == 1
    assert configs.existing("a").change_set == configs.existing(FLEET_ID).change_set


def test_going_back_never_unretires_a_trader() -> None:
    two_traders()
    moment = configs.existing("b").changed_at
    save_edit("a", detail__retired=True, detail__risk__max_positions=1)

    proposal = propose_restore_to(moment=moment)
    restore_to(moment=moment, scope=UndoScope(), seen=proposal.seen, reason="back", actor="lee")

    flat = configs.existing("a").flat
    assert (flat["detail.retired"], flat[POSITIONS]) == (True, 3)


def test_chosen_traders_and_paths_go_back_to_a_moment() -> None:
    two_traders()
    moment = configs.existing("b").changed_at
    halved("a", "b")

    scope = UndoScope(config_ids=frozenset({"b"}), paths=frozenset({LEVERAGE}))
    seen = propose_restore_to(moment=moment, scope=scope).seen
    restore_to(moment=moment, scope=scope, seen=seen, reason="leverage only", actor="lee")

    a, b = configs.existing("a").flat, configs.existing("b").flat
    assert (a[LEVERAGE], b[LEVERAGE], b[POSITIONS]) == (10, 20, 9)


@given(some_names, some_changes, some_changes)
def test_undoing_the_latest_change_gives_what_stood_before(
    name: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    with rolled_back():
        sync_traders(make_trader(name, **first))
        before = configs.existing(name)
        perform(("edit", name, dict(second)))
        now = configs.existing(name)
        if now.version > before.version:
            undo_change_set(now.change_set)
        assert diff(configs.existing(name).flat, before.flat) == []


def test_an_undo_to_a_provider_that_is_gone_is_refused(settings: Settings, tmp_path: Path) -> None:
    settings.MANAGER_YAML = tmp_path / "manager.yaml"
    sync_traders(make_trader())
    saved = save_edit("steady_long", exchange_provider="binance")
    assert saved is not None
    (tmp_path / "exchange.yaml").write_text("providers:\n  binance: {type: sim}\n")

    with pytest.raises(InvalidConfig, match="must be a provider of exchange.yaml"):
        undo_change_set(saved.change_set)
    assert configs.existing("steady_long").version == 2
