"""The history as other programs read it: views with exactly the contract's columns."""

from __future__ import annotations

import pytest

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.database import direct
from traders.schema import jsonio
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.trader import SCHEMA_VERSION

pytestmark = pytest.mark.django_db(transaction=True)

TRADER_COLUMNS = {
    "id": "bigint",
    "trader_id": "text",
    "version": "integer",
    "config_snapshot": "jsonb",
    "changed_fields": "ARRAY",
    "change_reason": "text",
    "changed_by": "text",
    "changed_at": "timestamp with time zone",
}
FLEET_COLUMNS = {name: kind for name, kind in TRADER_COLUMNS.items() if name != "trader_id"}


@pytest.mark.parametrize(
    ("view", "columns"), [("trader_config_history", TRADER_COLUMNS), ("manager_config_history", FLEET_COLUMNS)]
)
def test_the_columns_are_the_contracts(view: str, columns: dict[str, str]) -> None:
    found = direct.rows(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position",
        view,
    )

    assert found == list(columns.items())


def test_a_traders_history_reads_as_whole_snapshots() -> None:
    sync_traders(make_trader())
    save_edit("steady_long", reason="calmer", detail__risk__max_positions=2)

    versions = direct.rows(
        "SELECT version, changed_fields, change_reason, changed_by, (config_snapshot - 'detail')::text,"
        " (config_snapshot #>> '{detail,risk,max_positions}')::int FROM trader_config_history ORDER BY version"
    )

    core = {
        "id": "steady_long",
        "exchange_provider": "paper_trading",
        "market_provider": "hyperliquid_testnet",
        "allocation_pct": 20,
    }
    assert [(*row[:4], jsonio.loads(row[4]), row[5]) for row in versions] == [
        (1, [], "initial", "cli:test", core | {"version": 1}, 3),
        (2, ["detail.risk.max_positions"], "calmer", "mei", core | {"version": 2}, 2),
    ]


def test_the_fleets_history_reads_as_whole_snapshots() -> None:
    sync_traders(make_trader())
    save_edit(FLEET_ID, reason="rainy day", detail__manager__reserve_equity_pct=20)

    assert direct.rows(
        "SELECT version, changed_fields, change_reason, changed_by, config_snapshot ->> 'version',"
        " config_snapshot #>> '{detail,manager,reserve_equity_pct}' FROM manager_config_history ORDER BY version"
    ) == [
        (1, [], "initial", "cli:test", "1", "10"),
        (2, ["detail.manager.reserve_equity_pct"], "rainy day", "mei", "2", "20"),
    ]


def test_a_snapshot_holds_every_setting_with_its_default() -> None:
    sync_traders(make_trader())

    detail = jsonio.loads(direct.value("SELECT (config_snapshot -> 'detail')::text FROM trader_config_history"))

    assert detail["schema_version"] == SCHEMA_VERSION
    assert detail["exec_guards"]["candidate_limit"] == 10
    assert detail["journal"] == {"enabled": False, "dir": ""}
    assert detail["retired"] is False
    assert detail["extra"] == {}
