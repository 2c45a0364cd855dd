"""Which settings a change set changed, of how many traders, and where that raised risk. The database keeps the
counts for every program that writes versions."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.database import direct
from tests.traders.database.scratch import ScratchDatabase
from traders.models import TraderConfig
from traders.schema import jsonio
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.declare import Riskier, Setting
from traders.versioned import change
from traders.versions.changelog.queries import Filter, change_sets

ALL_SETTINGS = (*TRADER_SETTINGS.values(), *FLEET_SETTINGS.values())

LEVERAGE, POSITIONS = "detail.risk.major_coin_leverage", "detail.risk.max_positions"
NOTED = "SELECT path FROM config_change_set_paths ORDER BY change_set, path"
COUNTED = "SELECT path, configs, raising FROM config_change_set_paths ORDER BY change_set, path"


def write_a_second_version() -> None:
    direct.insert_fleet()
    direct.insert_trader()
    direct.execute("UPDATE trader_config SET version = 2")
    direct.execute(
        "INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,"
        " changed_fields, change_set, source, history_date, history_change_reason, history_type, history_user_id) "
        "SELECT id, 2, exchange_provider, market_provider, allocation_pct, detail, %s, 2, source,"
        " clock_timestamp(), 'by hand', '~', 'psql' FROM trader_config_versions",
        [LEVERAGE, POSITIONS],
    )


@pytest.mark.django_db
def test_a_version_written_in_sql_is_found_by_its_settings() -> None:
    write_a_second_version()

    for paths in ({LEVERAGE}, {POSITIONS}, {LEVERAGE, POSITIONS}):
        [line] = change_sets(Filter(paths=frozenset(paths)), limit=5)
        assert (line.change_set, line.changed_by, line.config_ids) == (2, "psql", ("direct",))


@pytest.mark.django_db
def test_one_change_set_of_several_statements_is_counted_once_each() -> None:
    sync_traders(make_trader("a"), make_trader("b"), make_trader("c"))
    with change(reason="one by one", actor="mei"):
        for name, positions in (("a", 9), ("b", 1), ("c", 8)):
            row = TraderConfig.objects.get(pk=name)
            row.detail["risk"]["max_positions"] = positions
            row.save()
    assert direct.rows(COUNTED) == [(POSITIONS, 3, 2)]


@pytest.mark.django_db
def test_what_an_older_version_lacks_stood_at_its_default() -> None:
    add, cooldown = "detail.risk.allow_increase", "detail.exec_guards.cooldown_after_close_seconds"
    risk = direct.TRADER_DETAIL["risk"]
    direct.insert_fleet()
    direct.insert_trader(exec_guards={}, risk={name: risk[name] for name in risk if name != "allow_increase"})
    detail = {"risk": risk | {"allow_increase": True}, "exec_guards": {"cooldown_after_close_seconds": 60}}
    direct.execute("UPDATE trader_config SET version = 2, detail = %s", jsonio.dumps(direct.TRADER_DETAIL | detail))
    direct.execute(
        "INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,"
        " changed_fields, change_set, source, history_date, history_change_reason, history_type, history_user_id) "
        "SELECT id, 2, exchange_provider, market_provider, allocation_pct, detail, %s, 2, 'direct',"
        " clock_timestamp(), 'by hand', '~', 'psql' FROM trader_config",
        [add, cooldown],
    )
    assert direct.rows(COUNTED) == [(cooldown, 1, 0), (add, 1, 1)]


@pytest.mark.django_db
@given(data=st.data(), setting=st.sampled_from([one for one in ALL_SETTINGS if one.riskier]))
def test_the_database_knows_what_raises_risk_as_the_declaration_does(data: st.DataObject, setting: Setting) -> None:
    values = {
        Riskier.WIDER: st.lists(st.sampled_from(["BTC", "ETH", "SOL"]), unique=True).map(sorted),
        Riskier.ON: st.booleans(),
        Riskier.OFF: st.booleans(),
    }.get(setting.riskier or Riskier.ON, st.integers(-3, 3) | st.decimals(-2, 2, places=2))
    old, new = data.draw(values), data.draw(values)
    asked = "SELECT nof0_raises_risk(riskier, off_at_zero, %s, %s) FROM setting_risks WHERE path = %s"
    [[raises]] = direct.rows(asked, jsonio.dumps(old), jsonio.dumps(new), setting.path)
    assert raises is setting.raises_risk(old, new)


@pytest.mark.django_db
@pytest.mark.parametrize("foreign", ["null", '"many"', "{}", "[1]", "true"])
def test_a_value_of_a_foreign_type_raises_nothing_and_refuses_nothing(foreign: str) -> None:
    asked = "SELECT bool_or(nof0_raises_risk(riskier, off_at_zero, %s, '3')) FROM setting_risks"
    assert direct.rows(asked, foreign) == [(False,)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change", ["UPDATE config_change_set_paths SET path = 'x'", "DELETE FROM config_change_set_paths"]
)
def test_what_was_noted_stays(change: str) -> None:
    sync_traders(make_trader("a"))
    save_edit("a", detail__risk__major_coin_leverage=10)
    before = direct.rows(NOTED)

    with pytest.raises(IntegrityError, match="config_change_set_paths refused"):
        direct.execute(change)

    assert direct.rows(NOTED) == before
    assert (LEVERAGE,) in before


def test_versions_written_before_are_noted_by_the_migration(
    scratch: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch.migrate("traders", "0007")
    monkeypatch.setattr(direct, "connection", connections[scratch.alias])
    with transaction.atomic(using=scratch.alias):
        write_a_second_version()
    scratch.migrate("traders", "0008")

    assert direct.rows(NOTED) == [(LEVERAGE,), (POSITIONS,)]
    scratch.migrate("traders", "0024")
    with transaction.atomic(using=scratch.alias):
        direct.next_version("direct", version=3)
    before = direct.rows(NOTED)
    scratch.migrate("traders", "0025")
    assert direct.rows(NOTED) == before
    written = (
        "SELECT path, count(*)::int, 0 FROM trader_config_versions, unnest(changed_fields) AS path"
        " GROUP BY change_set, path ORDER BY change_set, path"
    )
    assert direct.rows(COUNTED) == direct.rows(written)
    connections[scratch.alias].close()
