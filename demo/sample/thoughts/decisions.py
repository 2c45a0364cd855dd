"""The decision journal of a sample trader: input, answer and actions of each cycle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from demo.sample.ledger import Ledger
from demo.sample.pace import Pace
from demo.sample.plan import MS_PER_HOUR
from demo.sample.prices import PricePath
from demo.sample.styles import Persona
from demo.sample.thoughts.answers import Choice, answer_text, choices_at, taken
from demo.sample.trips import Trip
from demo.sample.versions import SampleVersion
from traders.schema import jsonio
from trading.schema.decision import (
    Account,
    DecisionDetail,
    HeldPosition,
    JournalEntry,
    ModelAnswer,
    Prompt,
    Quote,
    Usage,
)

# A dense record keeps its newest decisions only: a million trades would give ten million decisions.
MOST_CYCLES = 2_000
FAILS = 0.01
_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAILURES = ("the model did not answer within 60 s", "the answer is not JSON: it ends in the middle of a text")
_PRICE_PER_MILLION = {"gpt-5": Decimal(18), "claude-sonnet-4.5": Decimal(16), "deepseek-chat": Decimal(2)}
_CENTS = Decimal("0.01")


@dataclass(frozen=True)
class SampleDecision:
    """`acted`: an order was made or refused, so the messages are kept as well."""

    cycle: int
    entry: JournalEntry
    acted: bool


@dataclass(frozen=True)
class Seat:
    """The values that all decisions of a trader share."""

    persona: Persona
    paths: Mapping[str, PricePath]
    versions: Sequence[SampleVersion]
    rng: Random


def decisions_of(
    persona: Persona,
    seed: int,
    trips: Sequence[Trip],
    versions: Sequence[SampleVersion],
    paths: Mapping[str, PricePath],
    pace: Pace,
) -> Iterator[SampleDecision]:
    """In order of time, one per cycle. A dense record leaves out the first ones but keeps the numbering."""
    seat = Seat(persona, paths, versions, Random(f"{seed}:{persona.id}:decisions"))
    ledger = Ledger(trips, paths)
    entered: dict[int, list[Trip]] = {}
    left: dict[int, list[Trip]] = {}
    for trip in trips:
        entered.setdefault(trip.decided_ms, []).append(trip)
        if trip.left_ms is not None:
            left.setdefault(trip.left_ms, []).append(trip)
    version = 0
    for cycle in range(max(1, pace.cycles - MOST_CYCLES + 1), pace.cycles + 1):
        ts_ms = pace.moment_ms(cycle)
        while version + 1 < len(versions) and versions[version + 1].at <= _moment(ts_ms):
            version += 1
        ledger.advance(ts_ms)
        yield _decision(seat, cycle, versions[version], ledger, entered.get(ts_ms, []), left.get(ts_ms, []))


def _decision(
    seat: Seat, cycle: int, version: SampleVersion, ledger: Ledger, entered: list[Trip], left: list[Trip]
) -> SampleDecision:
    quotes = tuple(_quote(seat, market.symbol, ledger.now_ms) for market in seat.persona.markets)
    choices = choices_at(seat.rng, seat.persona, version, seat.paths, ledger, entered, left)
    acted = any(choice.decision.action.opens or choice.decision.action.closes for choice in choices)
    failure = None
    if not acted and seat.rng.random() < FAILS:
        failure, choices = seat.rng.choice(_FAILURES), []
    account = _account(ledger)
    user_text = _user_text(ledger, quotes, account)
    detail = DecisionDetail(
        prompt=Prompt(template_sha256=version.spec.detail.prompts.executor_sha256, user_text=user_text),
        answer=ModelAnswer(model=version.spec.detail.llm.model, text=None if failure else answer_text(choices)),
        decisions=tuple(choice.decision for choice in choices),
        account=account,
        positions=tuple(_held(trip, ledger) for trip in ledger.held.values()),
        candidates=tuple(market.symbol for market in seat.persona.markets),
        market=quotes,
        cooldowns=(),
        actions=tuple(taken(choice) for choice in choices),
        usage=_usage(seat.rng, version, user_text, choices),
        error=failure,
    )
    entry = JournalEntry(seat.persona.id, version.number, _moment(ledger.now_ms), _succeeded(choices, failure), detail)
    return SampleDecision(cycle, entry, acted)


def _succeeded(choices: Sequence[Choice], failure: str | None) -> bool:
    return failure is None and all(not choice.refused_by for choice in choices)


def _quote(seat: Seat, symbol: str, ts_ms: int) -> Quote:
    path = seat.paths[symbol]
    interest = path.market.open_interest * (1 + seat.rng.uniform(-0.03, 0.03))
    return Quote(
        symbol=symbol,
        price=path.price(ts_ms),
        change_1h=_rounded(path.change(ts_ms, MS_PER_HOUR), 5),
        change_4h=_rounded(path.change(ts_ms, 4 * MS_PER_HOUR), 5),
        open_interest=_rounded(interest, 0),
        funding=_rounded(seat.rng.gauss(0.00001, 0.00003), 7),
    )


def _account(ledger: Ledger) -> Account:
    equity, used = ledger.equity.quantize(_CENTS), ledger.used_margin.quantize(_CENTS)
    return Account(
        equity_usd=equity,
        available_usd=equity - used,
        used_margin_usd=used,
        used_margin_pct=(100 * used / equity).quantize(_CENTS) if equity > 0 else None,
        positions=len(ledger.held),
    )


def _held(trip: Trip, ledger: Ledger) -> HeldPosition:
    marked = ledger.paths[trip.symbol].price(ledger.now_ms)
    return HeldPosition(
        symbol=trip.symbol,
        side=trip.side,
        quantity=trip.quantity,
        leverage=Decimal(trip.leverage),
        entry_price=trip.price,
        mark_price=marked,
        unrealized_pnl=trip.unrealized(marked).quantize(_CENTS),
    )


def _user_text(ledger: Ledger, quotes: Sequence[Quote], account: Account) -> str:
    held = [f"{trip.symbol} {trip.side} {trip.quantity} from {trip.price}" for trip in ledger.held.values()]
    market = [f"{quote.symbol} {quote.price} 1h {quote.change_1h} 4h {quote.change_4h}" for quote in quotes]
    return "\n".join(
        [
            f"TIME {_moment(ledger.now_ms):%Y-%m-%dT%H:%M:%SZ}",
            f"ACCOUNT equity {account.equity_usd}, available {account.available_usd}",
            f"POSITIONS {'; '.join(held) or 'none'}",
            f"MARKET {'; '.join(market)}",
        ]
    )


def _usage(rng: Random, version: SampleVersion, user_text: str, choices: Sequence[Choice]) -> Usage:
    asked = 900 + len(user_text) // 3 + rng.randrange(60)
    answered = 40 + len(jsonio.dumps([choice.decision.reasoning for choice in choices])) // 2 + rng.randrange(90)
    cost = (asked + answered) * _PRICE_PER_MILLION[version.spec.detail.llm.model] / 1_000_000
    return Usage(
        prompt_tokens=asked, completion_tokens=answered, cost_usd=cost, latency_ms=round(rng.lognormvariate(8.3, 0.4))
    )


def _rounded(value: float, digits: int) -> Decimal:
    return Decimal(f"{value:.{digits}f}")


def _moment(ts_ms: int) -> datetime:
    return _EPOCH + ts_ms * _MS
