"""The engine of the sample's traders while the demo runs: reports, equity, decisions, controls.

It opens nothing. It holds what the sample left open, and closes what a control asks it to close.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import Error, close_old_connections
from django.utils import timezone

from demo.feed.prices import PriceWalk
from demo.paper import PAPER_TRADERS
from demo.sample.plan import usual_plan
from demo.sample.prices import price_paths
from traders.controls import services as controls
from traders.controls.rules import WantedEffect, WantedState
from traders.controls.wanted import wanted_of
from traders.models import TraderConfig, TraderRuntimeState
from traders.runtime import services as runtime
from traders.schema import jsonio
from traders.schema.controls.rows import AckResult
from traders.schema.messages import MessageError
from traders.schema.runtime import Capital, ReportDetail, ReportedCycle
from traders.versions import services as configs
from trading.live import services as live
from trading.live.redis.reads import now_us
from trading.models import EquitySnapshot
from trading.record.writing import services as record
from trading.schema.common import NANOSECONDS_PER_MS
from trading.schema.decision import (
    Account,
    Action,
    Decision,
    DecisionDetail,
    HeldPosition,
    JournalEntry,
    ModelAnswer,
    Prompt,
    Quote,
)
from trading.schema.facts import EquityPoint
from trading.schema.live_store.values import Price
from trading.schema.position import PositionRecord

PROVIDER = "hyperliquid"
ACTOR = "system"
PRICE_SECONDS = 5.0
REPORT_SECONDS = 60.0
_CENTS = Decimal("0.01")

log = logging.getLogger(__name__)


@dataclass
class SampleEngine:
    """One trader of the sample. `cash` is its equity without the unrealized P&L, in USD."""

    trader_id: str
    cash: Decimal
    last_at: datetime | None = None
    acknowledged: set[int] = field(default_factory=set)

    def report(self, prices: Mapping[str, Decimal], wanted: WantedState, now: datetime) -> None:
        """A report, a point of equity and, when its time has come, a decision."""
        self._obey(wanted, prices, now)
        config = configs.existing_trader(self.trader_id)
        interval = timedelta(seconds=config.flat["detail.llm.decision_interval_seconds"])
        version = wanted.pinned_version or config.version
        held = record.held(self.trader_id)
        unrealized = sum((_gain(one, prices) for one in held), Decimal(0)).quantize(_CENTS)
        margin = sum((_margin(one) for one in held), Decimal(0)).quantize(_CENTS)
        equity = self.cash + unrealized
        is_running = wanted.effect is not WantedEffect.STOPPED
        if is_running and (self.last_at is None or now >= self.last_at + interval):
            self.last_at = now
            entry = JournalEntry(
                self.trader_id, version, now, True, _decision(config.flat, prices, held, equity, margin, now)
            )
            record.decision(entry)
        record.equity_points(
            self.trader_id,
            [EquityPoint(self.trader_id, _ms(now), equity, realized=None, unrealized=unrealized)],
        )
        runtime.report(
            trader_id=self.trader_id,
            active_config_version=version,
            is_running=is_running,
            detail=ReportDetail(
                decision=ReportedCycle(last_at=self.last_at, next_at=self.last_at + interval if self.last_at else None),
                allocation=Capital(
                    equity_usd=equity, used_margin_usd=margin, available_margin_usd=max(equity - margin, Decimal(0))
                ),
            ),
        )

    def _obey(self, wanted: WantedState, prices: Mapping[str, Decimal], now: datetime) -> None:
        for control in wanted.closes:
            named = {row.get("symbol") for row in control.detail.get("positions", ())}
            for one in record.held(self.trader_id):
                if one.symbol in named and one.symbol in prices:
                    price = prices[one.symbol]
                    record.close(
                        trader_id=self.trader_id,
                        symbol=one.symbol,
                        price=price,
                        closed_at_ns=_ms(now) * NANOSECONDS_PER_MS,
                    )
                    self.cash += _gain(one, prices)
        for control in (*wanted.closes, *([wanted.last] if wanted.last else [])):
            if control.id not in self.acknowledged:
                controls.acknowledge(
                    trader_id=self.trader_id,
                    control_id=control.id,
                    result=AckResult.DONE,
                    note="",
                    at=now,
                    actor=ACTOR,
                )
                self.acknowledged.add(control.id)


def engines() -> list[SampleEngine]:
    """One for each trader of the sample that ever reported and has known equity."""
    reported = TraderRuntimeState.objects.filter(active_config_version__isnull=False).exclude(pk__in=PAPER_TRADERS)
    found = []
    for trader_id in reported.order_by("pk").values_list("pk", flat=True):
        last = EquitySnapshot.objects.filter(trader_id=trader_id).order_by("-ts_ms").first()
        if last is not None and last.unrealized_pnl_usd is not None:
            found.append(SampleEngine(trader_id, last.equity_usd - last.unrealized_pnl_usd))
    return found


def run(stop: threading.Event) -> None:
    """Until `stop` is set: new prices each PRICE_SECONDS, reports each REPORT_SECONDS. A trader whose turn fails is
    tried again at the next one, and the others go on."""
    plan = usual_plan(timezone.now())
    centres = {symbol: path.at(plan.end_ms) for symbol, path in price_paths(plan).items()}
    working = engines()
    walk = PriceWalk(centres, [one for engine in working for one in record.held(engine.trader_id)])
    due = 0.0
    while not stop.wait(PRICE_SECONDS):
        prices = walk.step(PRICE_SECONDS)
        live.quoted({symbol: Price(as_of=now_us(), price=price, provider=PROVIDER) for symbol, price in prices.items()})
        if time.monotonic() >= due:
            due = time.monotonic() + REPORT_SECONDS
            # A connection that broke is of no use to the next round.
            close_old_connections()
            report_all(working, prices)


def report_all(working: list[SampleEngine], prices: Mapping[str, Decimal]) -> None:
    try:
        now = timezone.now()
        retired = set(TraderConfig.objects.filter(retired=True).values_list("pk", flat=True))
        wanted = wanted_of([engine.trader_id for engine in working], now)
    except Error as error:
        log.warning("The demo's traders cannot report: %s", error)
        return
    for engine in working:
        if engine.trader_id in retired or engine.trader_id not in wanted:
            continue
        try:
            engine.report(prices, wanted[engine.trader_id], now)
        except (Error, MessageError, ValueError) as error:
            log.warning("%s of the demo cannot report: %s", engine.trader_id, error)


def _decision(
    flat: Mapping[str, object],
    prices: Mapping[str, Decimal],
    held: list[PositionRecord],
    equity: Decimal,
    margin: Decimal,
    now: datetime,
) -> DecisionDetail:
    """Holds what is open, and waits where nothing is."""
    decisions = tuple(
        Decision(symbol=one.symbol, action=Action.HOLD, reasoning=_reason(one, prices), confidence=Decimal(60))
        for one in held
    ) or (Decision(symbol=next(iter(prices)), action=Action.WAIT, reasoning="No setup."),)
    said = [{"Symbol": one.symbol, "Action": str(one.action), "Reasoning": one.reasoning} for one in decisions]
    market = "; ".join(f"{symbol} {price}" for symbol, price in prices.items())
    return DecisionDetail(
        prompt=Prompt(
            template_sha256=str(flat["detail.prompts.executor_sha256"]),
            user_text=f"TIME {now:%Y-%m-%dT%H:%M:%SZ}\nACCOUNT equity {equity}\nMARKET {market}",
        ),
        answer=ModelAnswer(model=str(flat["detail.llm.model"]), text=jsonio.dumps(said)),
        decisions=decisions,
        account=Account(equity_usd=equity, used_margin_usd=margin, available_usd=equity - margin, positions=len(held)),
        positions=tuple(
            HeldPosition(
                symbol=one.symbol,
                side=one.side,
                quantity=one.detail.entry.quantity,
                leverage=one.detail.entry.leverage,
                entry_price=one.detail.entry.price,
                mark_price=prices.get(one.symbol),
                unrealized_pnl=_gain(one, prices).quantize(_CENTS),
            )
            for one in held
        ),
        candidates=tuple(prices),
        market=tuple(Quote(symbol=symbol, price=price) for symbol, price in prices.items()),
    )


def _reason(one: PositionRecord, prices: Mapping[str, Decimal]) -> str:
    entry = one.detail.entry
    moved = 100 * one.side.sign * (prices.get(one.symbol, entry.price) / entry.price - 1)
    return f"The position is {moved:+.2f} % from its entry; stop and target stay."


def _gain(one: PositionRecord, prices: Mapping[str, Decimal]) -> Decimal:
    entry = one.detail.entry
    return one.side.sign * entry.quantity * (prices.get(one.symbol, entry.price) - entry.price)


def _margin(one: PositionRecord) -> Decimal:
    entry = one.detail.entry
    return entry.price * entry.quantity / (entry.leverage or 1)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
