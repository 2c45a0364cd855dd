"""A decider that asks no model: it follows the trend of the last hours, within the trader's own risk settings.

The same moment and settings give the same answer, in the schema that models answer in. It is the default where no model
is configured, and what the paper exchange is tried with.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Any

from traders.schema import jsonio
from traders.schema.settings.trader import OrderStyle, TraderDetail
from trading.manager.protocols import Decider, DeciderAnswer, DecisionRequest
from trading.manager.providers import ProviderOptions
from trading.replay.rules.checks.capital import is_major
from trading.replay.rules.checks.moment import DecisionMoment
from trading.replay.rules.risk_checks import refusals
from trading.schema.common import Side
from trading.schema.decision import Action, Decision, HeldPosition, Quote

NAME = "rules"
# What a position may lose at its stop, of the equity.
RISK_SHARE = Decimal("0.01")
# The hour's move that makes a trend, and that ends one.
TREND, TURNED = Decimal("0.002"), Decimal("0.004")
# The stop lies as far away as the price moved in an hour, within these bounds.
NEAREST_STOP, FARTHEST_STOP = Decimal("0.006"), Decimal("0.03")
# The target is this much further away than the smallest reward that the settings allow: fees and slippage take some.
BEYOND_TARGET = Decimal("1.1")
# Of the margin that is left; the rest is for a price that moves before the order fills.
MARGIN_SHARE = Decimal("0.9")
MOST_LEVERAGE = 5
HIGHEST = 100
_DIGITS = 8


class RulesDecider:
    def decide(self, request: DecisionRequest) -> DeciderAnswer:
        found = answers(request.settings, request.moment)
        text = jsonio.dumps(found[0] if len(found) == 1 else found)
        return DeciderAnswer(text, NAME, prompt_tokens=0, completion_tokens=0, cost_usd=Decimal(0))


def decider(options: ProviderOptions) -> Decider:
    return RulesDecider()


def answers(settings: TraderDetail, moment: DecisionMoment) -> list[dict[str, Any]]:
    """Objects in the schema of the executor's answer: a close for each position whose trend has turned, and at most one
    entry; else one that holds. Empty where there is no symbol to speak of."""
    held = moment.positions or ()
    closed = [_closing(position, quote) for position in held if (quote := _turned(position, moment)) is not None]
    closing = {one["symbol"] for one in closed}
    entry, why = _best_entry(settings, moment, [one for one in held if one.symbol not in closing])
    if entry is not None:
        return [*closed, entry]
    return closed or _holding(held, moment, why)


def _turned(position: HeldPosition, moment: DecisionMoment) -> Quote | None:
    """The quote of a position against which the price moves."""
    quote = moment.quote(position.symbol)
    if quote is None or quote.change_1h is None:
        return None
    return quote if position.side.sign * quote.change_1h <= -TURNED else None


def _closing(position: HeldPosition, quote: Quote) -> dict[str, Any]:
    moved = _percent(quote.change_1h)
    return _answer(
        "close",
        position.symbol,
        leverage=int(position.leverage or 1),
        confidence=HIGHEST,
        reasoning=f"{position.symbol} moved {moved} in one hour, against the {position.side} position: it has ended.",
    )


def _best_entry(
    settings: TraderDetail, moment: DecisionMoment, held: Sequence[HeldPosition]
) -> tuple[dict[str, Any] | None, str]:
    """The strongest trend among the candidates that every check lets pass; else why there is none."""
    if len(held) >= settings.risk.max_positions:
        return None, f"{len(held)} of {settings.risk.max_positions} positions are open."
    quotes = [moment.quote(name) for name in moment.candidates or ()]
    trending = [quote for quote in quotes if quote is not None and _side(quote) is not None]
    why = "No candidate has a trend of the last hours."
    for quote in sorted(trending, key=lambda one: (-_strength(one), one.symbol)):
        decision = _entry(quote, settings, moment)
        if decision is None:
            why = f"{quote.symbol} has a trend, and no margin is left for it."
        elif found := refusals(decision, settings, moment):
            why = f"{quote.symbol} has a trend, but {found[0].message}."
        else:
            signal = "buy_to_enter" if decision.action is Action.OPEN_LONG else "sell_to_enter"
            return _answer(signal, **decision.model_dump(exclude={"action"})), ""
    return None, why


def _side(quote: Quote) -> Side | None:
    """The side of a trend: the hour moved enough, and the four hours moved the same way."""
    hour, four = quote.change_1h, quote.change_4h
    if hour is None or four is None or not quote.price or abs(hour) < TREND or hour * four <= 0:
        return None
    return Side.LONG if hour > 0 else Side.SHORT


def _strength(quote: Quote) -> Decimal:
    return abs(quote.change_1h or Decimal(0)) + abs(quote.change_4h or Decimal(0)) / 4


def _entry(quote: Quote, settings: TraderDetail, moment: DecisionMoment) -> Decision | None:
    """None where nothing is left to trade with."""
    side = _side(quote)
    assert side is not None  # only trends come here
    assert quote.price is not None
    price = _limit(quote.price, side, settings)
    away = min(max(abs(quote.change_1h or NEAREST_STOP), NEAREST_STOP), FARTHEST_STOP)
    leverage = min(_allowed_leverage(quote.symbol, settings), MOST_LEVERAGE)
    size = _size(away, leverage, settings, moment)
    if size is None or size <= 0:
        return None
    reward = away * max(settings.risk.min_risk_reward_ratio, Decimal(1)) * BEYOND_TARGET
    moved, four = _percent(quote.change_1h), _percent(quote.change_4h)
    return Decision(
        symbol=quote.symbol,
        action=Action.OPEN_LONG if side is Side.LONG else Action.OPEN_SHORT,
        leverage=Decimal(leverage),
        position_size_usd=size,
        entry_price=price,
        stop_loss=_rounded(price * (1 - side.sign * away)),
        take_profit=_rounded(price * (1 + side.sign * reward)) if reward < 1 else Decimal(0),
        risk_usd=_rounded(size * away),
        confidence=Decimal(_confidence(quote)),
        invalidation_condition=f"{quote.symbol} moves {_percent(TURNED)} the other way within one hour.",
        reasoning=(
            f"{quote.symbol} moved {moved} in one hour and {four} in four: a trend that goes on is followed {side}. "
            f"The stop lies {_percent(away)} away, at a risk of {_rounded(size * away)} USD."
        ),
    )


def _limit(price: Decimal, side: Side, settings: TraderDetail) -> Decimal:
    """A limit order names the worst price that it takes: half of the slippage that the settings allow."""
    if settings.order.style == OrderStyle.MARKET_IOC:
        return price
    return _rounded(price * (1 + side.sign * settings.order.slippage_bps / 20_000))


def _allowed_leverage(symbol: str, settings: TraderDetail) -> int:
    return settings.risk.major_coin_leverage if is_major(symbol) else settings.risk.altcoin_leverage


def _size(away: Decimal, leverage: int, settings: TraderDetail, moment: DecisionMoment) -> Decimal | None:
    """USD: the least of what may be lost, of the largest position, and of what the margin left allows."""
    account = moment.account
    if account is None or account.equity_usd is None or account.available_usd is None:
        return None
    equity, used = account.equity_usd, account.used_margin_usd or Decimal(0)
    limit_pct = settings.risk.max_margin_usage_pct or Decimal(HIGHEST)
    margin = min(account.available_usd, equity * limit_pct / 100 - used) * MARGIN_SHARE
    least = min(equity * RISK_SHARE / away, settings.risk.max_position_size_usd, margin * leverage)
    return least.quantize(Decimal("0.01"), ROUND_DOWN)


def _confidence(quote: Quote) -> int:
    """60 for the weakest trend; one that is four times as strong, or more, has 95."""
    beyond = min((_strength(quote) / TREND - 1) / 3, Decimal(1))
    return int((60 + 35 * max(beyond, Decimal(0))).to_integral_value(ROUND_HALF_EVEN))


def _holding(held: Sequence[HeldPosition], moment: DecisionMoment, why: str) -> list[dict[str, Any]]:
    names = [*(position.symbol for position in held), *(moment.candidates or ())]
    if not names:
        return []
    kept = f" Kept: {', '.join(position.symbol for position in held)}." if held else ""
    return [_answer("hold", names[0], confidence=HIGHEST, reasoning=why + kept)]


def _answer(signal: str, symbol: str, **given: Any) -> dict[str, Any]:
    """All eleven keys of the schema."""
    zero = Decimal(0)
    found: dict[str, Any] = {
        "signal": signal,
        "symbol": symbol,
        "leverage": 1,
        **dict.fromkeys(("position_size_usd", "entry_price", "stop_loss", "take_profit", "risk_usd"), zero),
        "confidence": 0,
        "invalidation_condition": "",
        "reasoning": "",
    } | given
    return found | {name: int(found[name]) for name in ("leverage", "confidence")}


def _rounded(value: Decimal) -> Decimal:
    return Decimal(f"{value:.{_DIGITS}g}")


def _percent(share: Decimal | None) -> str:
    return f"{(share or Decimal(0)) * 100:+.2f} %"
