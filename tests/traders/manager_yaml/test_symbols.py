"""Lists of symbols in manager.yaml: names as the exchange writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.traders.manager_yaml.sample import MANAGER, refused, write_sample
from traders.manager_yaml.reader import read_manager_yaml
from traders.schema.settings.trader import TraderSpec

RIGHT = "must be a list of up to 1000 symbols as the exchange writes them, empty for all"


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("[BTC, ETH]", ["BTC", "ETH"]),
        ("[ETH, BTC, ETH]", ["BTC", "ETH"]),
        ("[btc, BTC]", ["btc"]),
        ("[kPEPE, 1000PEPE, 'BTC/USDT:USDT', 币安人生]", ["1000PEPE", "BTC/USDT:USDT", "kPEPE", "币安人生"]),
        ("[1000, 0x, 1e3, null, true]", ["0x", "1000", "1e3", "null", "true"]),
        ("[]", []),
        ("", []),
        ("null", []),
    ],
)
def test_names_are_kept_as_written_and_in_order(tmp_path: Path, written: str, names: list[str]) -> None:
    assert _allowed(tmp_path, written).detail.exec_guards.allowed_symbols == names


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("BTC", f"{RIGHT}, was BTC"),
        ("BTC, ETH", f"{RIGHT}, was BTC, ETH"),
        ("{BTC: 1}", f"{RIGHT}, was a mapping"),
        ("[[BTC]]", f"{RIGHT}; a list is no symbol"),
        ("['BTC ETH']", f"{RIGHT}; the text 'BTC ETH' is no symbol"),
        ("['A|B']", f"{RIGHT}; the text 'A|B' is no symbol"),
        ("['']", f"{RIGHT}; the text '' is no symbol"),
        (f"[{'A' * 65}]", f"{RIGHT}; "),
    ],
)
def test_what_is_no_list_of_symbols_is_refused_by_its_line(tmp_path: Path, written: str, message: str) -> None:
    said = refused(write_sample(tmp_path, _with(written)))

    assert said.startswith("manager.yaml:")
    assert f"trader_x: exec_guards.allowed_symbols {message}" in said


def _allowed(directory: Path, written: str) -> TraderSpec:
    source = read_manager_yaml(write_sample(directory, _with(written)))
    return source.traders["trader_x"]


def _with(written: str) -> str:
    return MANAGER.replace(
        "    risk_params:", f"    exec_guards:\n      allowed_symbols: {written}\n    risk_params:", 1
    )
