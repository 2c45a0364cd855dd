"""A day of five trades whose figures can be checked by hand, and strategies of any record."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from trading.schema.facts import DecisionFact, EquityPoint, SignalFact, TradeFact

MINUTE = 60_000
DAY = 86_400_000
ACTIONS = ("open_long", "open_short", "close_long", "close_short", "hold", "wait")


def trade(trade_id: str = "t", net: str = "1", *, opened: int = 0, closed: int = 60, **other: Any) -> TradeFact:
    """Times in minutes; gross is net unless it is given."""
    values: dict[str, Any] = {
        "trader_id": "mei",
        "symbol": "BTC",
        "side": "long",
        "quantity": Decimal(1),
        "entry_price": Decimal(100),
        "exit_price": Decimal(100),
        "gross": Decimal(net),
        "commission": Decimal(0),
    }
    given = {
        name: Decimal(value) if isinstance(value, str) and value[-1].isdigit() else value
        for name, value in other.items()
    }
    return TradeFact(
        id=trade_id,
        net=Decimal(net),
        open_ts_ms=opened * MINUTE,
        close_ts_ms=closed * MINUTE,
        **(values | given),
    )


def decision(number: int, minute: int, *, trader_id: str = "mei", version: int | None = 1) -> DecisionFact:
    return DecisionFact(number, trader_id, minute * MINUTE, success=True, config_version=version)


def point(ms: int, equity: str, *, trader_id: str = "mei", source: str = "engine") -> EquityPoint:
    return EquityPoint(trader_id, ms, Decimal(equity), source)


# The net of the last is not its gross less its commission, as in real records.
FIVE = (
    trade(
        "1",
        "19",
        opened=0,
        closed=60,
        quantity="2",
        entry_price="100",
        gross="20",
        commission="1",
        stop_loss="95",
        take_profit="110",
    ),
    trade(
        "2",
        "-32",
        opened=30,
        closed=120,
        symbol="ETH",
        side="short",
        quantity="10",
        entry_price="50",
        gross="-30",
        commission="2",
        stop_loss="52",
        take_profit="40",
    ),
    trade("3", "7", opened=100, closed=130, entry_price="300", gross="10", commission="3"),
    trade("4", "0", opened=120, closed=240, symbol="ETH", quantity="4", entry_price="100", gross="1", commission="1"),
    trade(
        "5", "-14", opened=200, closed=300, side="short", quantity="3", entry_price="200", gross="-12", commission="3"
    ),
)

DECISIONS = (decision(1, 0), decision(2, 10), decision(3, 30), decision(4, 60))

SIGNALS = (
    SignalFact(1, "mei", 0, "BTC", "open_long", Decimal(60), Decimal(5)),
    SignalFact(2, "mei", 10 * MINUTE, "BTC", "hold", Decimal(90), Decimal(5)),
    SignalFact(3, "mei", 30 * MINUTE, "ETH", "open_short", Decimal(80), Decimal(15)),
    SignalFact(4, "mei", 60 * MINUTE, "BTC", "close_long", Decimal(70)),
    SignalFact(4, "mei", 60 * MINUTE, "SOL", "wait", Decimal(10)),
)

EQUITY = (point(0, "1000"), point(110 * MINUTE, "800"))

_traders = st.sampled_from(["ann", "bob"])
_symbols = st.sampled_from(["BTC", "ETH", "SOL"])
_versions = st.none() | st.integers(1, 3)
_prompts = st.none() | st.sampled_from(["aa", "bb"])
_times = st.integers(0, 120 * DAY)


def money(low: int = -(10**9), high: int = 10**9) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=8)


@st.composite
def trades(draw: st.DrawFn, max_size: int = 12) -> list[TradeFact]:
    number = draw(st.integers(0, max_size))
    return [draw(_trade(str(index))) for index in range(number)]


@st.composite
def _trade(draw: st.DrawFn, trade_id: str) -> TradeFact:
    opened = draw(_times)
    return TradeFact(
        id=trade_id,
        trader_id=draw(_traders),
        symbol=draw(_symbols),
        side=draw(st.sampled_from(["long", "short"])),
        open_ts_ms=opened,
        close_ts_ms=opened + draw(st.integers(0, 20 * DAY)),
        quantity=draw(money(0, 10**30)),
        entry_price=draw(money(0)),
        exit_price=draw(money(0)),
        gross=draw(money()),
        commission=draw(money(-10, 10**6)),
        net=draw(st.just(Decimal(0)) | money()),
        leverage=draw(st.none() | money(1, 50)),
        stop_loss=draw(st.none() | money(0)),
        take_profit=draw(st.none() | money(0)),
        entry_version=draw(_versions),
        exit_version=draw(_versions),
        prompt_sha256=draw(_prompts),
    )


def signals() -> st.SearchStrategy[list[SignalFact]]:
    percents = st.none() | money(0, 100)
    one = st.builds(
        SignalFact,
        decision_id=st.integers(1, 9),
        trader_id=_traders,
        decided_at_ms=_times,
        symbol=_symbols,
        action=st.sampled_from(ACTIONS),
        confidence=percents,
        leverage=percents,
        config_version=_versions,
        prompt_sha256=_prompts,
    )
    return st.lists(one, max_size=8)


def decisions() -> st.SearchStrategy[list[DecisionFact]]:
    one = st.builds(DecisionFact, st.integers(1, 9), _traders, _times, st.booleans(), _versions)
    return st.lists(one, max_size=8)


def equity(low: int = -1000) -> st.SearchStrategy[list[EquityPoint]]:
    one = st.builds(EquityPoint, _traders, _times, money(low), st.sampled_from(["engine", "imported", "other"]))
    return st.lists(one, max_size=10)
