"""A key of another version of the system is known by its name here."""

from __future__ import annotations

import pytest

from traders.manager_yaml.shape import RENAMED, TRADER_SHAPE, unknown_key


@pytest.mark.parametrize("key", RENAMED)
def test_a_renamed_key_is_never_sent_to_extra(key: str) -> None:
    said = unknown_key(key, here=TRADER_SHAPE, whole=TRADER_SHAPE, section="")
    assert "did you mean" in said or "it belongs" in said
    assert "extra" not in said


def test_it_is_named_with_its_place() -> None:
    said = unknown_key("btc_eth_leverage", here=TRADER_SHAPE, whole=TRADER_SHAPE, section="")
    assert said == "is not a known setting; did you mean major_coin_leverage, under risk_params:?"
    inside = TRADER_SHAPE["risk_params"]
    assert isinstance(inside, dict)
    said = unknown_key("btc_eth_leverage", here=inside, whole=TRADER_SHAPE, section="risk_params")
    assert said == "is not a known setting; did you mean major_coin_leverage?"
