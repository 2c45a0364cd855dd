"""A market whose prices a test sets, models that say what a test wants, and cycles put together from both."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils import timezone

from tests.factories import make_trader, sync_traders
from traders.manager_yaml.declared import CallLimits
from traders.schema.settings.trader import TraderSpec
from trading.manager.capital import begin_with_capital
from trading.manager.cycle import CycleParts, run_cycle
from trading.manager.exchanges.paper import PaperExchange
from trading.manager.prompts import PromptStore
from trading.manager.protocols import DeciderAnswer, DecisionRequest, SeenPrice, SymbolContext
from trading.manager.queries import FleetReader, TraderNow
from trading.manager.recording import CycleRecord
from trading.manager.rules.paper import FUNDING_INTERVAL
from trading.manager.running.making import MakeDecider, Workshop
from trading.manager.running.turns import Turns
from trading.models import DecisionJournal

HOLD: list[Any] = []


@dataclass
class SetMarket:
    """`at` None: prices are of the moment that is asked for."""

    quotes: dict[str, Decimal]
    at: datetime | None = None
    funding_rate: Decimal | None = None

    def prices(self, symbols: Sequence[str], now: datetime) -> Mapping[str, SeenPrice]:
        return {name: SeenPrice(name, self.quotes[name], self.at or now) for name in symbols if name in self.quotes}

    def context(self, symbols: Sequence[str], now: datetime) -> Mapping[str, SymbolContext]:
        open_interest, rate = Decimal(1_000_000), self.funding_rate
        return {name: SymbolContext(name, self.at or now, open_interest, rate) for name in symbols}

    def symbols(self, now: datetime) -> Sequence[str]:
        return list(self.quotes)


def opens(symbol: str = "BTC", *, side: str = "buy", **changed: Any) -> dict[str, Any]:
    """An entry as a model answers it: 400 USD at about 100, with a stop 2 away and a target 8 away."""
    sign = 1 if side == "buy" else -1
    return {
        "signal": f"{side}_to_enter",
        "symbol": symbol,
        "leverage": 5,
        "position_size_usd": 400,
        "entry_price": 100 + sign * 0.1,
        "stop_loss": 100 - 2 * sign,
        "take_profit": 100 + 8 * sign,
        "risk_usd": 8,
        "confidence": 90,
        "invalidation_condition": "it falls",
        "reasoning": "it rises",
    } | changed


def closes(symbol: str = "BTC") -> dict[str, Any]:
    return opens(symbol) | {"signal": "close"}


@dataclass
class Manager:
    """One trader's cycles. `says` is what the model answers next: JSON values, a text, or an exception."""

    trader_id: str = "steady_long"
    market: SetMarket = field(default_factory=lambda: SetMarket({"BTC": Decimal(100), "ETH": Decimal(10)}))
    says: Any = field(default_factory=list)
    now: datetime = field(default_factory=lambda: timezone.now() - timedelta(seconds=120))
    before_orders: Callable[[], str] = lambda: ""
    asked: list[DecisionRequest] = field(default_factory=list)

    def ask(self, request: DecisionRequest) -> DeciderAnswer:
        self.asked.append(request)
        if isinstance(self.says, Exception):
            raise self.says
        text = self.says if isinstance(self.says, str) else json.dumps(self.says)
        return DeciderAnswer(text, "test/model", 100, 20, Decimal("0.01"), 5)

    @property
    def exchange(self) -> PaperExchange:
        return PaperExchange.of(self.trader.spec.detail.order)

    @property
    def trader(self) -> TraderNow:
        return FleetReader().read([self.trader_id], self.now)[self.trader_id]

    @property
    def parts(self) -> CycleParts:
        return CycleParts(
            market=self.market,
            exchange=self.exchange,
            prompts=PromptStore(),
            ask=self.ask,
            again=lambda trader: self.before_orders(),
            clock=lambda: self.now,
            timeout_seconds=60.0,
            lot_of=lambda symbol: Decimal("0.001"),
        )

    def cycle(self, says: Any = None) -> CycleRecord:
        if says is not None:
            self.says = says
        return run_cycle(self.trader, self.parts, self.now)


def make_manager(trader: TraderSpec | None = None, **options: Any) -> Manager:
    """The trader with its capital: 20 % of 10,000 USD unless it says otherwise."""
    spec = trader or make_trader(detail__auto_start=True)
    sync_traders(spec)
    made = Manager(spec.id, **options)
    begin_with_capital(made.trader, made.now - timedelta(seconds=1))
    return made


@dataclass
class ManagerAtWork:
    """A manager of many traders: its turns, at a clock that a test moves."""

    market: SetMarket = field(default_factory=lambda: SetMarket({"BTC": Decimal(100), "ETH": Decimal(10)}))
    says: Any = field(default_factory=list)
    # So far back that half a minute later is behind a control of the database's clock, on a slow machine too.
    now: datetime = field(default_factory=lambda: timezone.now() - timedelta(seconds=20))
    stop_file: Path = Path("/nowhere/STOP")
    funding_interval: timedelta = FUNDING_INTERVAL
    is_held: bool = True
    make_decider: MakeDecider | None = None
    exchange_types: Mapping[str, str] = field(
        default_factory=lambda: {"paper_trading": "sim", "hyperliquid_testnet": "hyperliquid"}
    )
    said: list[str] = field(default_factory=list)
    asked: list[DecisionRequest] = field(default_factory=list)

    def decide(self, request: DecisionRequest) -> DeciderAnswer:
        self.asked.append(request)
        said = self.says(request) if callable(self.says) else self.says
        if isinstance(said, BaseException):
            raise said
        if isinstance(said, DeciderAnswer):
            return said
        return DeciderAnswer(said if isinstance(said, str) else json.dumps(said), "test/model", 100, 20)

    def turns(self) -> Turns:
        """As a manager that starts now has them."""
        workshop = Workshop(
            make_market=lambda provider: self.market,
            make_decider=self.make_decider or (lambda spec: self),
            limits=CallLimits(at_once=4, timeout_seconds=5.0),
            stop_file=self.stop_file,
            clock=lambda: self.now,
            exchange_types=self.exchange_types,
            funding_interval=lambda provider: self.funding_interval,
        )
        return Turns(
            workshop,
            lambda trader_id: self.is_held,
            self.said.append,
            # On this thread, within the test's transaction.
            lambda decider, request: decider.decide(request),
        )

    def take(self, trader_id: str) -> None:
        """One turn, by a manager that starts now."""
        self.turns().take(trader_id, self.now)

    def later(self, seconds: float = 1.0) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    def fleet(self, *names: str) -> dict[str, TraderNow]:
        return FleetReader().read(names or None, self.now)


def journalled() -> DecisionJournal:
    """The last decision in the record."""
    return DecisionJournal.objects.latest("id")


def actions() -> list[dict[str, Any]]:
    """What the last decision led to."""
    found: list[dict[str, Any]] = journalled().detail["actions"]
    return found
