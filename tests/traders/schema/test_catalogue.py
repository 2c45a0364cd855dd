"""Every setting says what it is: forms, file and documentation have nothing else to go by."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from tests.factories import make_fleet, make_trader
from traders.schema.paths import EXTRA
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.declare import Applies, Setting, SettingGroup, SettingKind
from traders.schema.settings.stored import flat_of

SETTINGS = [*TRADER_SETTINGS.values(), *(s for s in FLEET_SETTINGS.values() if s.path != EXTRA)]
every_setting = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.path)
KEPT_BY_THE_PROGRAM = {
    "detail.prompts.system_version",
    "detail.prompts.system_sha256",
    "detail.prompts.executor_version",
    "detail.prompts.executor_sha256",
}


@every_setting
def test_a_setting_has_words_and_a_group(setting: Setting) -> None:
    assert setting.label[:1].isupper()
    assert setting.help.endswith(".") or setting.kind is SettingKind.DERIVED
    assert isinstance(setting.group, SettingGroup)


@every_setting
def test_a_setting_has_a_key_in_the_file_unless_the_program_keeps_it(setting: Setting) -> None:
    assert bool(setting.yaml_key) is (setting.path not in KEPT_BY_THE_PROGRAM)


@every_setting
def test_a_number_has_a_range(setting: Setting) -> None:
    if setting.kind in (SettingKind.INTEGER, SettingKind.DECIMAL, SettingKind.DURATION):
        assert setting.minimum is not None
        assert setting.maximum is not None
        assert setting.minimum < setting.maximum


@every_setting
def test_a_text_has_a_longest_length(setting: Setting) -> None:
    texts = (
        SettingKind.TEXT,
        SettingKind.LONG_TEXT,
        SettingKind.MODEL,
        SettingKind.PROMPT,
        SettingKind.EXCHANGE_PROVIDER,
        SettingKind.MARKET_PROVIDER,
        SettingKind.SYMBOLS,
    )
    assert (setting.max_length is not None) is (setting.kind in texts or setting.path.endswith("_version"))


@every_setting
def test_a_name_carries_its_unit(setting: Setting) -> None:
    for suffix, unit in {"_pct": "%", "_usd": "USD", "_bps": "bps", "_seconds": "s"}.items():
        is_named = setting.path.endswith(suffix) or f"{suffix}_per_" in setting.path
        assert is_named is (setting.unit == unit), suffix


@every_setting
def test_a_default_lies_in_its_own_range(setting: Setting) -> None:
    if setting.required or not isinstance(setting.default, int | Decimal) or isinstance(setting.default, bool):
        return
    assert setting.minimum is not None
    assert setting.maximum is not None
    assert setting.minimum <= setting.default <= setting.maximum
    assert not (setting.above_minimum and setting.default == setting.minimum)


def test_no_two_settings_share_a_key_or_a_label() -> None:
    for settings in (TRADER_SETTINGS, FLEET_SETTINGS):
        keys = Counter(setting.yaml_key for setting in settings.values() if setting.yaml_key)
        labels = Counter((setting.group, setting.label) for setting in settings.values())
        assert [name for name, count in (keys + labels).items() if count > 1] == []


def test_the_settings_are_the_leaves_of_a_configuration() -> None:
    assert flat_of(make_trader()).keys() == TRADER_SETTINGS.keys() - {EXTRA}
    assert flat_of(make_fleet()).keys() == FLEET_SETTINGS.keys() - {EXTRA}


def test_a_setting_reads_as_declared() -> None:
    slippage = TRADER_SETTINGS["detail.order.slippage_bps"]
    assert (slippage.yaml_key, slippage.kind, slippage.unit) == ("market_ioc_slippage_bps", SettingKind.DECIMAL, "bps")
    assert (slippage.minimum, slippage.above_minimum, slippage.maximum) == (Decimal(0), True, Decimal(10_000))
    assert slippage.default == Decimal(50)

    interval = TRADER_SETTINGS["detail.llm.decision_interval_seconds"]
    assert (interval.yaml_key, interval.kind, interval.default) == ("decision_interval", SettingKind.DURATION, 180)
    assert TRADER_SETTINGS["detail.order.style"].choices == ("limit_ioc", "market_ioc")
    assert TRADER_SETTINGS["detail.risk.max_positions"].required
    assert not TRADER_SETTINGS["detail.risk.min_confidence"].required
    assert FLEET_SETTINGS["detail.manager.reserve_equity_pct"].yaml_key == "manager.reserve_equity_pct"


READ_AT_A_START = {
    "detail.manager.allocation_strategy",
    "detail.manager.rebalance_interval_seconds",
    "detail.manager.state_storage_backend",
    "detail.manager.state_storage_path",
    "detail.monitoring.update_interval_seconds",
    "detail.monitoring.metrics_exporter",
}


@every_setting
def test_a_setting_says_when_a_change_applies(setting: Setting) -> None:
    assert setting.applies is (Applies.RESTART if setting.path in READ_AT_A_START else Applies.NEXT_CYCLE)
