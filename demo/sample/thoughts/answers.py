"""The decisions of a sample trader in one cycle, the model's answer as text, and the resulting actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from demo.sample.ledger import Ledger
from demo.sample.prices import PricePath, to_price
from demo.sample.styles import Persona
from demo.sample.trips import Trip
from demo.sample.versions import SampleVersion
from traders.schema import jsonio
from trading.schema.common import Side
from trading.schema.decision import Action, ActionTaken, Decision

IS_REFUSED = 0.03
_OPENS = {Side.LONG: Action.OPEN_LONG, Side.SHORT: Action.OPEN_SHORT}
_CLOSES = {Side.LONG: Action.CLOSE_LONG, Side.SHORT: Action.CLOSE_SHORT}
_ENTRY = ("The 1h and 4h changes agree.", "The level held twice.", "Volume confirms the move.", "Crowd leans too far.")
_EXIT = ("The move has lost its pace.", "The idea had its time.", "The market turned against it.")
_HOLD = ("Nothing changed; stop and target stay.", "On its way; let it run.")
_WAIT = ("No setup.", "Too quiet.", "Mixed signs; wait.")


@dataclass(frozen=True)
class Choice:
    """A decision with its order, or with the rules that refused it."""

    decision: Decision
    order_id: int | None = None
    refused_by: tuple[str, ...] = ()


def choices_at(
    rng: Random,
    persona: Persona,
    version: SampleVersion,
    paths: Mapping[str, PricePath],
    ledger: Ledger,
    entered: Sequence[Trip],
    left: Sequence[Trip],
) -> list[Choice]:
    """Exits, entries, then held positions; without any of them, a wait or a refused entry."""
    choices = [_closing(rng, trip) for trip in left] + [_opening(rng, trip) for trip in entered]
    leaving = {trip.symbol for trip in left}
    choices += [_holding(rng, trip) for symbol, trip in ledger.held.items() if symbol not in leaving]
    if choices:
        return choices
    if rng.random() < IS_REFUSED:
        return [_refused(rng, version, paths[persona.markets[0].symbol], ledger.now_ms)]
    waiting = Decision(symbol=persona.markets[0].symbol, action=Action.WAIT, reasoning=rng.choice(_WAIT))
    return [Choice(waiting)]


def taken(choice: Choice) -> ActionTaken:
    said = choice.decision
    return ActionTaken(
        symbol=said.symbol,
        action=said.action,
        leverage=said.leverage,
        position_size_usd=said.position_size_usd,
        entry_price=said.entry_price,
        stop_loss=said.stop_loss,
        take_profit=said.take_profit,
        confidence=said.confidence,
        order_id=choice.order_id,
        ok=not choice.refused_by,
        refused_by=choice.refused_by or None,
        error="the decision breaks a limit of the configuration" if choice.refused_by else None,
    )


def answer_text(choices: Sequence[Choice]) -> str:
    """A JSON array with the names that engines use."""
    return jsonio.dumps([_as_said(choice.decision) for choice in choices])


def _as_said(said: Decision) -> dict[str, object]:
    return {
        "Symbol": said.symbol,
        "Action": str(said.action),
        "Leverage": said.leverage or 0,
        "PositionSizeUSD": said.position_size_usd or 0,
        "EntryPrice": said.entry_price or 0,
        "StopLoss": said.stop_loss or 0,
        "TakeProfit": said.take_profit or 0,
        "Confidence": said.confidence or 0,
        "RiskUSD": said.risk_usd or 0,
        "Reasoning": said.reasoning or "",
        "InvalidationCondition": said.invalidation_condition or "",
    }


def _opening(rng: Random, trip: Trip) -> Choice:
    decision = Decision(
        symbol=trip.symbol,
        action=_OPENS[trip.side],
        leverage=Decimal(trip.leverage),
        position_size_usd=_dollars(trip.notional),
        entry_price=trip.price,
        stop_loss=trip.stop,
        take_profit=trip.target,
        confidence=Decimal(trip.confidence),
        risk_usd=_dollars(trip.risk_usd),
        reasoning=rng.choice(_ENTRY),
        invalidation_condition=f"An hour closes beyond {trip.stop}",
    )
    return Choice(decision, trip.order_id)


def _closing(rng: Random, trip: Trip) -> Choice:
    assert trip.exit is not None
    decision = Decision(
        symbol=trip.symbol,
        action=_CLOSES[trip.side],
        confidence=Decimal(rng.randint(55, 90)),
        reasoning=rng.choice(_EXIT),
    )
    return Choice(decision, trip.exit.order_id)


def _holding(rng: Random, trip: Trip) -> Choice:
    decision = Decision(
        symbol=trip.symbol,
        action=Action.HOLD,
        confidence=Decimal(rng.randint(50, 90)),
        reasoning=rng.choice(_HOLD),
    )
    return Choice(decision)


def _refused(rng: Random, version: SampleVersion, path: PricePath, ts_ms: int) -> Choice:
    """An entry below the least confidence, and at times for too little reward as well."""
    risk, side, at = version.spec.detail.risk, rng.choice(list(Side)), path.at(ts_ms)
    reward = float(risk.min_risk_reward_ratio) * rng.choice((0.6, 1.3))
    stop = to_price(path.market, at * (1 - side.sign * 0.012))
    target = to_price(path.market, at * (1 + side.sign * 0.012 * reward))
    price = path.price(ts_ms)
    rules = ["min_confidence"]
    if abs(target - price) < abs(price - stop) * risk.min_risk_reward_ratio:
        rules.append("min_risk_reward_ratio")
    size = risk.max_position_size_usd / 2
    decision = Decision(
        symbol=path.market.symbol,
        action=_OPENS[side],
        leverage=Decimal(2),
        position_size_usd=size,
        entry_price=price,
        stop_loss=stop,
        take_profit=target,
        confidence=Decimal(rng.randrange(max(1, risk.min_confidence - 20), risk.min_confidence)),
        risk_usd=_dollars(size * abs(price - stop) / price),
        reasoning=rng.choice(_ENTRY),
    )
    return Choice(decision, None, tuple(rules))


def _dollars(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
