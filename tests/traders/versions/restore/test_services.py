from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.factories import make_trader, new_trader, save_edit, sync_traders
from traders.schema.problems import InvalidConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.versions import services as configs
from traders.versions.restore.services import propose_restore, restore
from traders.versions.rules.errors import StaleEdit, UnknownConfig, UnknownVersion

pytestmark = pytest.mark.django_db


def test_a_restore_makes_a_new_version_equal_to_the_old_one() -> None:
    sync_traders(make_trader())
    save_edit("steady_long", detail__risk__max_positions=7, detail__extra={"note": "x"})
    first = configs.version("steady_long", 1)

    restore(config_id="steady_long", version=1, expected_version=2, reason="too many", actor="lee")

    now = configs.existing("steady_long")
    assert (now.version, now.source, now.changed_by) == (3, "restore", "lee")
    assert now.flat == first.flat
    assert set(now.changed_fields) == {"detail.risk.max_positions", "detail.extra.note"}


def test_restoring_what_stands_already_makes_no_version() -> None:
    sync_traders(make_trader())

    assert restore(config_id="steady_long", version=1, expected_version=1, reason="again", actor="lee") is None


def test_a_restore_never_unretires_a_trader() -> None:
    sync_traders(make_trader())
    save_edit("steady_long", detail__retired=True, detail__risk__max_positions=9)

    restore(config_id="steady_long", version=1, expected_version=2, reason="old limits", actor="lee")

    now = configs.existing("steady_long")
    assert now.flat["detail.retired"] is True
    assert now.flat["detail.risk.max_positions"] == 3


def test_a_restore_is_held_to_the_fleet_rule_of_today() -> None:
    sync_traders(make_trader(allocation_pct=Decimal(60)))
    save_edit("steady_long", allocation_pct=Decimal(10))
    new_trader("other", allocation_pct=Decimal(60))

    with pytest.raises(InvalidConfig, match=r"fleet's sum 120\.00 %"):
        propose_restore(config_id="steady_long", version=1, expected_version=2)


def test_a_restore_prepared_on_an_older_version_is_refused() -> None:
    sync_traders(make_trader())
    save_edit("steady_long", detail__risk__max_positions=7)
    save_edit("steady_long", detail__risk__max_positions=8)

    with pytest.raises(StaleEdit):
        restore(config_id="steady_long", version=1, expected_version=2, reason="back", actor="lee")


def test_the_fleet_settings_can_be_restored() -> None:
    sync_traders(make_trader())
    save_edit(FLEET_ID, detail__manager__reserve_equity_pct=Decimal(30))

    restore(config_id=FLEET_ID, version=1, expected_version=2, reason="unchanged", actor="lee", may_change_fleet=True)

    assert configs.existing(FLEET_ID).flat["detail.manager.reserve_equity_pct"] == 10


def test_unknown_traders_and_versions_are_named() -> None:
    sync_traders(make_trader())

    with pytest.raises(UnknownVersion, match="steady_long has no version 9"):
        propose_restore(config_id="steady_long", version=9, expected_version=1)
    with pytest.raises(UnknownConfig, match="'ghost'"):
        propose_restore(config_id="ghost", version=1, expected_version=1)


def test_paths_may_be_kept_as_they_stand_a_prompt_as_a_whole() -> None:
    sync_traders(make_trader())
    save_edit("steady_long", detail__risk__max_positions=7, detail__risk__altcoin_leverage=4)

    restore(
        config_id="steady_long",
        version=1,
        expected_version=2,
        reason="but not the positions",
        actor="lee",
        keep=["detail.risk.max_positions", "detail.prompts.system_template"],
    )

    now = configs.existing("steady_long")
    assert (now.flat["detail.risk.max_positions"], now.flat["detail.risk.altcoin_leverage"]) == (7, 10)
    assert now.changed_fields == ("detail.risk.altcoin_leverage",)


def test_a_restore_to_a_provider_or_model_that_is_gone_is_refused(settings: Settings, tmp_path: Path) -> None:
    settings.MANAGER_YAML = tmp_path / "manager.yaml"
    sync_traders(make_trader())
    save_edit("steady_long", detail__llm__model="openai/gpt-5", exchange_provider="binance")
    (tmp_path / "exchange.yaml").write_text("providers:\n  binance: {type: sim}\n")

    with pytest.raises(InvalidConfig, match="must be a provider of exchange.yaml"):
        restore(config_id="steady_long", version=1, expected_version=2, reason="back", actor="lee")
    assert configs.existing("steady_long").version == 2
