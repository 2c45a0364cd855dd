"""What a trader sees when it decides: prices, positions, account, candidates, cooldowns. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from traders.schema.messages import MessageError, _
from traders.schema.settings.trader import TraderSpec
from trading.live.keys import SINCE_INCEPTION
from trading.live.redis import store
from trading.manager import queries
from trading.manager.protocols import MarketFailed, MarketSource, SeenPrice, SymbolContext
from trading.manager.recording import CycleRecord
from trading.manager.rules.account import AccountNow, account_now, as_held
from trading.manager.rules.liquidation import liquidation_price
from trading.manager.rules.schedule import OLDEST_CONTEXT, OLDEST_PRICE
from trading.record.writing.positions import open_whole
from trading.replay.rules.checks.moment import DecisionMoment
from trading.schema.decision import DecisionDetail, Quote
from trading.schema.live_store.answers import FreshValue
from trading.schema.position import PositionRecord


class CannotDecide(MessageError):
    """Why no model is asked in this cycle. Positions and their orders stay."""


@dataclass(frozen=True)
class Sight:
    """`seen` is the part of the journal that says what was known, `account` what it was at `looked_at`. `prices_at` is
    the oldest of its prices."""

    held: Sequence[PositionRecord]
    prices: Mapping[str, SeenPrice]
    account: AccountNow
    seen: DecisionDetail
    decided_at: datetime
    looked_at: datetime
    prices_at: datetime

    @property
    def moment(self) -> DecisionMoment:
        return DecisionMoment.of(self.decided_at, self.seen)


def look(spec: TraderSpec, market: MarketSource, now: datetime) -> Sight:
    """Raises CannotDecide for prices that are missing or stale, and for a trader without capital."""
    held = open_whole(spec.id)
    try:
        offered = spec.detail.exec_guards.allowed_symbols or list(market.symbols(now))
        offered = offered[: spec.detail.exec_guards.candidate_limit]
        asked = list(dict.fromkeys([*(one.symbol for one in held), *offered]))
        prices = fresh(market.prices(asked, now), now)
        contexts = market.context(asked, now)
    except MarketFailed as error:
        raise CannotDecide(
            _("the market %(name)s gave no prices: %(error)s", name=spec.market_provider, error=error)
        ) from error
    lacking = [one.symbol for one in held if one.symbol not in prices]
    if lacking:
        raise CannotDecide(_("no fresh price of %(symbols)s, which are held", symbols=", ".join(lacking)))
    candidates = [symbol for symbol in offered if symbol in prices]
    if not candidates and not held:
        raise CannotDecide(_("no candidate has a fresh price; candidates are %(symbols)s", symbols=", ".join(offered)))
    money = queries.funds(spec.id, now)
    if money is None:
        raise CannotDecide(_("the trader has no capital: its allocation is %(pct)s %%", pct=spec.allocation_pct))
    account = account_now(money.moved, money.realized, held, prices)
    seen = DecisionDetail(
        account=account.as_seen(len(held), _sharpe(spec)),
        positions=tuple(as_held(one, prices[one.symbol], _liquidation(one, spec)) for one in held),
        candidates=tuple(candidates),
        market=tuple(_quote(symbol, prices[symbol], contexts.get(symbol), now) for symbol in asked if symbol in prices),
        cooldowns=money.cooldowns,
    )
    return Sight(held, prices, account, seen, now, now, min(price.at for price in prices.values()))


def again(now: Sight, seen: DecisionDetail, decided_at: datetime) -> Sight:
    """The prices and positions of now, with what was seen when the decision was taken."""
    return replace(now, seen=seen, decided_at=decided_at)


def account_after(sight: Sight, record: CycleRecord, now: datetime) -> tuple[AccountNow, datetime]:
    """The account behind the fills of a cycle, in the transaction that records them, and its moment. Without any it is
    what was seen before the model was asked: a stop may have filled since."""
    found = account_of(record.trader_id, sight.prices, now) if record.entries or record.exits else None
    return (sight.account, sight.looked_at) if found is None else (found, now)


def account_of(trader_id: str, prices: Mapping[str, SeenPrice], now: datetime) -> AccountNow | None:
    """None for a trader without capital."""
    money = queries.funds(trader_id, now)
    return None if money is None else account_now(money.moved, money.realized, open_whole(trader_id), prices)


def fresh(prices: Mapping[str, SeenPrice], now: datetime) -> dict[str, SeenPrice]:
    return {symbol: price for symbol, price in prices.items() if now - price.at <= OLDEST_PRICE}


def _quote(symbol: str, price: SeenPrice, context: SymbolContext | None, now: datetime) -> Quote:
    """A context that is too old is not known."""
    if context is None or now - context.at > OLDEST_CONTEXT:
        return Quote(symbol=symbol, price=price.price)
    return Quote(
        symbol=symbol,
        price=price.price,
        change_1h=context.change_1h,
        change_4h=context.change_4h,
        open_interest=context.open_interest,
        funding=context.funding_rate,
    )


def _liquidation(held: PositionRecord, spec: TraderSpec) -> Decimal | None:
    entry, rate = held.detail.entry, spec.detail.order.paper_maintenance_margin_pct / 100
    return liquidation_price(held.side, entry.price, entry.leverage or Decimal(1), rate)


def _sharpe(spec: TraderSpec) -> Decimal | None:
    """As the live store has it. Only read where the trader is held to it."""
    if not spec.detail.exec_guards.sharpe_pause_threshold:
        return None
    found = store.read_one(SINCE_INCEPTION, spec.id)
    ratio = found.value.sharpe if isinstance(found, FreshValue) else None
    return None if ratio is None else round(Decimal(str(ratio)), 4)
