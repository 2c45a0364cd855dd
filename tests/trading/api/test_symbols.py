"""Symbols of every exchange come in through the engine API, in the exchange's spelling."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.engine_client import Engine
from tests.live_factories import ago
from tests.trading.api.test_record import BTC, CLOSE, CLOSED, COOLDOWNS, POSITIONS, TRADES, _trade
from traders.models import TraderSymbolCooldown
from trading.live import keys
from trading.live.redis import store
from trading.models import DecisionJournal, Position, ProviderSymbol, Symbol, Trade
from trading.schema.live_store.answers import FreshValue, StaleValue

NAMES = ("kPEPE", "BTC/USDT:USDT", "1000PEPE", "币安人生USDT", "xyz:SP500")
EXCHANGE = "hyperliquid_testnet"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_kept_as_it_came(engine: Engine, name: str) -> None:
    assert engine.put(POSITIONS, BTC | {"symbol": name}).status == 200
    assert engine.post(CLOSE, CLOSED | {"symbol": name}).status == 200
    assert engine.put(TRADES, _trade() | {"symbol": name, "closed_at_ns": _trade()["closed_at_ns"] + 5}).status == 200

    assert {row.symbol for row in Position.objects.all()} == {name}
    assert {row.symbol for row in Trade.objects.all()} == {name}
    assert Symbol.objects.get(symbol=name).base_asset in ("PEPE", "BTC", "币安人生", "SP500")


def test_an_upper_cased_name_is_the_one_that_the_exchange_writes(engine: Engine) -> None:
    engine.put(POSITIONS, BTC | {"symbol": "kPEPE"})

    assert engine.put(POSITIONS, BTC | {"symbol": "KPEPE"}).body["symbol"] == "kPEPE"
    assert engine.post(CLOSE, CLOSED | {"symbol": "KPEPE"}).body["symbol"] == "kPEPE"
    later = _trade() | {"symbol": "KPEPE", "closed_at_ns": _trade()["closed_at_ns"] + 5}
    assert engine.put(TRADES, later).body["symbol"] == "kPEPE"
    cooldown = engine.put(COOLDOWNS, {"symbol": "KPEPE", "cooldown_until": "2090-01-01T00:00:00Z"})
    assert cooldown.body["symbol"] == TraderSymbolCooldown.objects.get().symbol == "kPEPE"
    detail = {"decisions": [{"symbol": "KPEPE", "action": "hold"}], "candidates": ["KPEPE", "btc"]}
    entry = {"key": "k", "config_version": 1, "decided_at": "2026-01-08T10:30:00Z", "success": True, "detail": detail}
    assert engine.post("/traders/steady_long/decisions", entry).status == 200
    stored = DecisionJournal.objects.get().detail
    assert (stored["decisions"][0]["symbol"], stored["candidates"]) == ("kPEPE", ["kPEPE", "BTC"])


def test_another_provider_may_list_the_name_in_another_case(engine: Engine) -> None:
    engine.put(POSITIONS, BTC | {"symbol": "kPEPE"})

    other = BTC | {"symbol": "KPEPE", "exchange": {"provider": "other"}}

    assert engine.put(POSITIONS, other).body["symbol"] == "KPEPE"


@pytest.mark.django_db
def test_the_database_holds_one_spelling_a_provider() -> None:
    ProviderSymbol.objects.create(provider=EXCHANGE, symbol="kPEPE")
    ProviderSymbol.objects.create(provider="other", symbol="KPEPE")

    with pytest.raises(IntegrityError, match="provider_symbols_one_spelling"), transaction.atomic():
        ProviderSymbol.objects.create(provider=EXCHANGE, symbol="KPEPE")


@pytest.mark.parametrize("name", ["A|B", "A B", "x" * 65, ""])
def test_a_text_that_is_no_symbol_is_refused(engine: Engine, name: str) -> None:
    assert engine.put(POSITIONS, BTC | {"symbol": name}).status == 422
    assert engine.put(COOLDOWNS, {"symbol": name, "cooldown_until": "2090-01-01T00:00:00Z"}).status == 422
    assert engine.put("/prices", {"prices": {name: {"price": 1}}}).status == 422


def _prices() -> dict[str, Any]:
    found = store.read_all(keys.PRICE) or {}
    return {field: answer.value.price for field, answer in found.items() if isinstance(answer, FreshValue | StaleValue)}


def test_prices_of_pairs_stay_apart_and_each_says_what_became_of_it(engine: Engine) -> None:
    sent = {
        "BTC/USDT:USDT": {"price": 100},
        f"{EXCHANGE}:SOL/USDT:USDT": {"price": 2},
        "ETH": {"price": 3, "as_of_ms": ago(3600) // 1000},
    }
    engine.put("/prices", {"prices": {"ETH": {"price": 4}}})

    reply = engine.put("/prices", {"prices": sent})

    assert reply.body["written"] == 2
    assert _prices() == {"BTC/USDT:USDT": 100, f"{EXCHANGE}:SOL/USDT:USDT": 2, "ETH": 4}
    said = reply.body["prices"]
    assert (said["BTC/USDT:USDT"]["provider"], said["BTC/USDT:USDT"]["symbol"]) == (None, "BTC/USDT:USDT")
    whole = said[f"{EXCHANGE}:SOL/USDT:USDT"]
    assert (whole["provider"], whole["symbol"], whole["is_written"]) == (EXCHANGE, "SOL/USDT:USDT", True)
    assert (said["ETH"]["is_written"], said["ETH"]["dropped"]) == (False, "older than the price that stands there")


def test_a_provider_may_be_named_beside_the_prices(engine: Engine) -> None:
    reply = engine.put("/prices", {"provider": "okx", "prices": {"SOL/USDT:USDT": {"price": 2}, "kPEPE": {"price": 1}}})
    engine.put("/prices", {"provider": "okx", "prices": {"KPEPE": {"price": 5}}})

    assert reply.body["prices"]["SOL/USDT:USDT"]["provider"] == "okx"
    assert _prices() == {"okx:SOL/USDT:USDT": 2, "okx:kPEPE": 5}
