"""The fleet's settings are changed only by a caller that says it may: every service that could touch them asks."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.factories import make_file, make_fleet, make_trader, save_edit, sync_traders
from traders.models import ManagerConfigVersion, TraderConfigVersion
from traders.schema.problems import InvalidConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import NewVersion
from traders.sync.conflicts.services import open_conflicts, settle
from traders.sync.services import sync
from traders.versions import services as configs
from traders.versions.bulk import services as bulk
from traders.versions.bulk.rules import BulkVerb, Operation
from traders.versions.edit import services as edit
from traders.versions.lifecycle import services as lifecycle
from traders.versions.lock import locked_fleet
from traders.versions.restore import services as restore
from traders.versions.rules.errors import FleetNotAllowed, UnknownConfig
from traders.versions.rules.merge import MergeSide
from traders.versions.undo import services as undo
from traders.versions.undo.services import UndoScope

pytestmark = pytest.mark.django_db

WHO: dict[str, Any] = {"reason": "why not", "actor": "mei"}
EQUITY = "detail.manager.total_equity_usd"


@pytest.fixture(autouse=True)
def changed_fleet(db: None) -> None:
    """Two versions of the settings, and an open conflict about them; one change set that touches a trader too."""
    sync_traders(make_trader())
    save_edit(FLEET_ID, detail__manager__total_equity_usd=Decimal(20000))
    changed = make_fleet(detail__manager__total_equity_usd=Decimal(30000))
    sync(file=make_file(make_trader(detail__risk__max_positions=5), fleet=changed), actor="cli")


def first() -> Any:
    return configs.version(FLEET_ID, 1)


def _edit() -> Any:
    return edit.save(config_id=FLEET_ID, flat=first().flat, expected_version=2, **WHO)


def _restore() -> Any:
    return restore.restore(config_id=FLEET_ID, version=1, expected_version=2, **WHO)


def _undo() -> Any:
    change_set = configs.existing(FLEET_ID).change_set
    return undo.undo(change_set=change_set, scope=UndoScope(), seen={FLEET_ID: 2}, **WHO)


def _restore_to() -> Any:
    return undo.restore_to(moment=first().changed_at, scope=UndoScope(), seen={FLEET_ID: 2, "steady_long": 2}, **WHO)


def _settle() -> Any:
    return settle(choices={(c.config_id, c.path): MergeSide.YAML for c in open_conflicts()}, **WHO)


def _sync() -> Any:
    file = make_file(make_trader(), fleet=make_fleet(detail__manager__total_equity_usd=Decimal(40000)))
    return sync(file=file, may_change_fleet=False, **WHO)


def _lock() -> Any:
    with locked_fleet() as fleet:
        return fleet.write([NewVersion(first().spec, 2, (), "why not")], source="admin", actor="mei")


@pytest.mark.parametrize("door", [_edit, _restore, _undo, _restore_to, _settle, _sync, _lock])
def test_a_service_refuses_the_fleets_settings_and_writes_nothing(door: Callable[[], Any]) -> None:
    before = (ManagerConfigVersion.objects.count(), TraderConfigVersion.objects.count())
    with pytest.raises(FleetNotAllowed):
        door()
    assert (ManagerConfigVersion.objects.count(), TraderConfigVersion.objects.count()) == before
    assert len(open_conflicts()) == 1


def test_a_change_of_traders_knows_no_trader_of_the_fleets_id() -> None:
    operations = [Operation("detail.risk.max_positions", BulkVerb.SET, 4)]
    ids = ["steady_long", FLEET_ID]
    for change in (
        lambda: bulk.propose_bulk(trader_ids=ids, operations=operations),
        lambda: bulk.propose_one_by_one(trader_ids=ids, operations=operations),
        lambda: bulk.save_bulk(trader_ids=ids, operations=operations, seen={}, **WHO),
        lambda: lifecycle.propose_retirement(trader_ids=ids, retired=True),
        lambda: lifecycle.set_retired(trader_ids=ids, retired=True, seen={}, **WHO),
        lambda: lifecycle.clone(trader_id=FLEET_ID, version=1, new_id="copy", **WHO),
    ):
        with pytest.raises(UnknownConfig):
            change()
    with pytest.raises(InvalidConfig, match="must be 1 to 64 letters"):
        lifecycle.clone(trader_id="steady_long", version=1, new_id=FLEET_ID, **WHO)


def test_going_back_to_a_moment_at_which_the_fleet_stood_as_now_needs_no_permission_for_it() -> None:
    moment = configs.existing(FLEET_ID).changed_at
    seen = undo.propose_restore_to(moment=moment).seen
    assert list(seen) == ["steady_long"]
    assert undo.restore_to(moment=moment, scope=UndoScope(), seen=seen, **WHO)
    assert configs.existing("steady_long").flat["detail.risk.max_positions"] == 3
