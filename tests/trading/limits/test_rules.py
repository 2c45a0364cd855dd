"""Which positions a limit leaves beyond it, and which cannot be checked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traders.schema.settings.catalogue import TRADER_SETTINGS
from trading.limits import rules
from trading.limits.rules import (
    BANDS,
    COUNT,
    LIMITS,
    MAJOR,
    MARGIN,
    SIZE,
    SYMBOLS,
    LimitedPosition,
    beyond_limits,
    touched,
)

BTC = LimitedPosition("BTC", "long", Decimal(600), Decimal(20))
ETH = LimitedPosition("ETH-PERP", "short", Decimal(100), Decimal(5))
DOGE = LimitedPosition("DOGE", "long", Decimal(300), Decimal(15))
BLANK = LimitedPosition("SOL", "long", None, None)
ON = dict.fromkeys(rules.SWITCHES.values(), True)


def asked(path: str, limit: Any, *held: LimitedPosition, equity: Any = 1000, **flat: Any) -> Any:
    usd = None if equity is None else Decimal(equity)
    return next(iter(beyond_limits({**ON, path: limit, **flat}, [path], held, usd)), None)


def symbols(positions: tuple[LimitedPosition, ...]) -> list[str]:
    return [one.symbol for one in positions]


@pytest.mark.parametrize(
    ("path", "limit", "beyond", "unknown"),
    [
        (SIZE, Decimal(300), ["BTC"], ["SOL"]),
        (SIZE, Decimal(600), [], ["SOL"]),
        (MAJOR, 10, ["BTC"], []),
        (rules.ALTCOIN, 10, ["DOGE"], ["SOL"]),
        (BANDS[True], Decimal("0.5"), ["BTC"], []),
        (BANDS[False], Decimal("0.2"), ["DOGE"], ["SOL"]),
        (SYMBOLS, ["btc", "SOL"], ["ETH-PERP", "DOGE"], []),
    ],
)
def test_each_limit_names_what_exceeds_it_and_what_it_cannot_check(
    path: str, limit: Any, beyond: list[str], unknown: list[str]
) -> None:
    found = asked(path, limit, BTC, ETH, DOGE, BLANK)
    assert (symbols(found.beyond), symbols(found.unknown)) == (beyond, unknown)


def test_max_positions_counts_also_what_cannot_be_read() -> None:
    assert asked(COUNT, 3, BTC, ETH, DOGE, BLANK).used == 4
    assert asked(COUNT, 4, BTC, ETH, DOGE, BLANK) is None


def test_margin_is_summed_and_needs_the_equity() -> None:
    # 30 + 20 + 20 USD of margin
    assert asked(MARGIN, Decimal("6.9"), BTC, ETH, DOGE).used == Decimal(7)
    assert asked(MARGIN, Decimal(7), BTC, ETH, DOGE) is None
    assert symbols(asked(MARGIN, Decimal(7), BTC, ETH, DOGE, BLANK).unknown) == ["SOL"]
    assert asked(MARGIN, Decimal(7), BTC, equity=None).without_equity
    assert asked(MARGIN, Decimal(7), BTC, equity=0).is_beyond


@pytest.mark.parametrize("path", [MARGIN, *BANDS.values(), SYMBOLS])
def test_nothing_is_beyond_a_limit_that_is_off(path: str) -> None:
    assert asked(path, [] if path == SYMBOLS else Decimal(0), BTC, ETH, DOGE, BLANK) is None
    if switch := rules.SWITCHES.get(path):
        assert asked(path, Decimal("0.0001"), BTC, ETH, DOGE, BLANK, **{switch: False}) is None


def test_a_guard_that_is_switched_touches_its_limit() -> None:
    assert touched(["detail.exec_guards.enable_value_band_guard"]) == list(BANDS.values())
    assert touched(["detail.auto_start", SIZE]) == [SIZE]
    assert touched(["detail.auto_start"]) == []


def test_every_limit_is_a_declared_setting() -> None:
    assert set(TRADER_SETTINGS) >= rules.PATHS


@given(st.sampled_from([SIZE, MAJOR, MARGIN, COUNT]), st.integers(1, 200), st.integers(1, 200))
def test_a_tighter_limit_leaves_as_many_beyond_it_or_more(path: str, one: int, other: int) -> None:
    loose, tight = (
        beyond_limits({**ON, path: limit}, LIMITS, [BTC, ETH, DOGE], Decimal(1000))
        for limit in (max(one, other), min(one, other))
    )
    assert len(tight) >= len(loose)
