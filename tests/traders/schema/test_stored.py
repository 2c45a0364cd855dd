"""Configurations between repositories and services."""

from __future__ import annotations

from tests.factories import make_fleet, make_trader
from traders.schema.paths import Change
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import NewVersion, flat_of, id_of
from traders.schema.settings.trader import SCHEMA_VERSION


def test_the_fleet_has_an_id_that_no_trader_can_have() -> None:
    assert id_of(make_fleet()) == FLEET_ID == "@manager"
    assert id_of(make_trader("a")) == "a"


def test_a_new_version_names_what_changed() -> None:
    changes = (Change("allocation_pct", 10, 20), Change("detail.auto_start", False, True))

    assert NewVersion(make_trader("a"), 4, changes, "more").changed_fields == ["allocation_pct", "detail.auto_start"]


def test_a_first_version_changed_nothing() -> None:
    new = NewVersion(make_trader("a"), 0, (Change("allocation_pct", None, 20),), "initial")

    assert new.changed_fields == []
    assert new.config_id == "a"


def test_a_snapshot_is_the_whole_configuration_with_its_schema_version() -> None:
    snapshot = NewVersion(make_trader("a"), 0, (), "initial").snapshot

    assert snapshot.keys() == {"id", "exchange_provider", "market_provider", "allocation_pct", "detail"}
    assert snapshot["detail"]["schema_version"] == SCHEMA_VERSION
    assert snapshot["detail"]["exec_guards"]["enable_margin_usage_guard"] is True


def test_the_paths_of_a_configuration_leave_its_identity_out() -> None:
    flat = flat_of(make_trader("a"))

    assert flat["detail.risk.max_positions"] == 3
    assert not {"id", "version", "detail.schema_version"} & flat.keys()
