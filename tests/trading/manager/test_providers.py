"""Providers are found by their names, and the example of the page works as it stands there."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import trading.manager.markets
from trading.manager.deciders.rules import RulesDecider
from trading.manager.providers import (
    DECIDERS,
    MARKETS,
    InvalidProvider,
    ProviderOptions,
    make_decider,
    make_market,
    types_of,
)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "providers.md"
NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)


def test_the_page_names_every_market_and_decider() -> None:
    text = PAGE.read_text()

    assert [name for name in types_of(MARKETS) if f"| `{name}` |" not in text] == []
    assert [name for name in types_of(DECIDERS) if f"| `{name}` |" not in text and name != "llm"] == []


def test_the_market_of_the_page_works_as_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    example = re.search(r"```python\n# trading/manager/markets/(\w+)\.py\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert example is not None
    (tmp_path / f"{example[1]}.py").write_text(example[2])
    monkeypatch.setattr(trading.manager.markets, "__path__", [*trading.manager.markets.__path__, str(tmp_path)])

    made = make_market(ProviderOptions("quiet", {"type": example[1], "price": "250"}, tmp_path))
    sys.modules.pop(f"{MARKETS}.{example[1]}")

    assert made.prices(["BTC"], NOON)["BTC"].price == 250
    assert made.symbols(NOON) == ["BTC"]


def test_a_decider_is_found_by_the_provider_of_its_model(tmp_path: Path) -> None:
    assert isinstance(make_decider(ProviderOptions("calm", {"provider": "rules"}, tmp_path)), RulesDecider)


def test_an_unknown_type_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidProvider, match="must be one of replay, simulated, was ''"):
        make_market(ProviderOptions("nothing", {}, tmp_path))
