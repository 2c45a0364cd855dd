"""What the manager writes into the record: decisions, entries, exits, equity, reports. One transaction a cycle."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from traders.runtime import writer as runtime
from traders.runtime.redaction import without_secrets
from traders.schema.runtime import Capital, LastError, ReportDetail, ReportedCycle, ReportedPerformance
from traders.schema.settings.declare import unprintable
from traders.schema.settings.guards import ExecGuards
from trading.guards.rules.watched import watches_decisions, watches_equity
from trading.manager import projecting, writer
from trading.manager.protocols import DeciderAnswer, OrderKind, OrderStanding
from trading.manager.queries import TraderNow
from trading.manager.rules.account import AccountNow
from trading.manager.rules.liquidation import MARGIN_MODE
from trading.record.followers import RecordedFact, RecordedKind, followed
from trading.record.rules.errors import NoOpenPosition
from trading.record.stored import symbols
from trading.record.writing import decisions, parts, positions
from trading.record.writing.clean import clean, clean_messages
from trading.schema.common import NANOSECONDS_PER_MS, EventKind, Exchange, ExitPlan, PositionEvent
from trading.schema.decision import Decision, DecisionDetail, JournalEntry, ModelAnswer, Usage
from trading.schema.facts import EquityPoint
from trading.schema.message import DecisionMessage, MessageRole
from trading.schema.position import Entry, Orders, PositionDetail, PositionRecord, PositionRisk
from trading.schema.trade import Fill, FillType

MOST_ERROR_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class EntryDone:
    """An entry that was filled, with its decision and the orders that were placed behind it. `plan`: of an increase,
    the plan from then on where it is another one."""

    decision: Decision
    entry: OrderStanding
    stop: OrderStanding | None = None
    target: OrderStanding | None = None
    is_increase: bool = False
    plan: ExitPlan | None = None

    @property
    def behind(self) -> list[str]:
        """The client order ids of its stop and its target."""
        return [one.asked.client_order_id for one in (self.stop, self.target) if one is not None]


@dataclass(frozen=True, slots=True)
class ExitDone:
    held: PositionRecord
    exit: OrderStanding


@dataclass
class CycleRecord:
    """What a cycle leaves. `number` 0: it had no row, because no model was asked. `decision_id` and `cycle_number` are
    of the journal, once it has the decision."""

    trader_id: str
    provider: str
    version: int
    number: int
    decided_at: datetime
    detail: DecisionDetail
    guards: ExecGuards
    messages: Sequence[DecisionMessage] = ()
    exits: list[ExitDone] = field(default_factory=list)
    entries: list[EntryDone] = field(default_factory=list)
    decision_id: int | None = None

    cycle_number: int = 0

    @property
    def success(self) -> bool:
        return not self.detail.error and all(action.ok for action in self.detail.actions)

    @property
    def entry(self) -> JournalEntry:
        """As the journal has it, secrets taken out."""
        return clean(JournalEntry(self.trader_id, self.version, self.decided_at, self.success, self.detail))[0]


def forget_fill(filled: OrderStanding) -> None:
    """An exit whose position was closed in the record by another way, or an entry where another position was opened."""
    writer.put_recorded(filled.asked.trader_id, [filled.asked.client_order_id])


@dataclass(frozen=True, slots=True)
class Beat:
    """What the manager reports of a trader. An unknown equity is not recorded. `account_at`: the moment of the account,
    None where that is `now`."""

    trader_id: str
    version: int
    is_running: bool
    account: AccountNow | None
    now: datetime
    guards: ExecGuards
    last_at: datetime | None = None
    next_at: datetime | None = None
    sharpe_ratio: Decimal | None = None
    error: str = ""
    account_at: datetime | None = None


def record_of(trader: TraderNow, number: int, decided_at: datetime, detail: DecisionDetail) -> CycleRecord:
    """With the messages that `detail` holds, and nothing done yet."""
    prompt, answer = detail.prompt, detail.answer
    said = (
        (MessageRole.SYSTEM, prompt.system_text if prompt else None),
        (MessageRole.USER, prompt.user_text if prompt else None),
        (MessageRole.ASSISTANT, answer.text if answer else None),
    )
    messages = [DecisionMessage(role, text, decided_at) for role, text in said if text]
    spec = trader.spec
    return CycleRecord(
        spec.id, spec.exchange_provider, trader.version, number, decided_at, detail, spec.detail.exec_guards, messages
    )


def answer_of(answer: DeciderAnswer) -> ModelAnswer:
    return ModelAnswer(model=answer.model, text=answer.text, reasoning=answer.reasoning)


def usage_of(answer: DeciderAnswer) -> Usage:
    return Usage(
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
        cost_usd=answer.cost_usd,
        latency_ms=answer.latency_ms,
        attempts=answer.attempts,
    )


def cycle(done: CycleRecord, after: Callable[[], Beat]) -> None:
    """The journal, the fills, the report of the moment after them, and the end of the cycle: all or nothing. Nothing
    where the cycle was finished before: then `done.decision_id` stays None."""
    with suppress(_FinishedBefore):
        _cycle(done, after)
        projecting.changed(done.trader_id)


class _FinishedBefore(Exception):
    """Nothing of the cycle is written."""


def _cycle(done: CycleRecord, after: Callable[[], Beat]) -> None:
    whole = done.entry
    with followed() as tell:
        made = decisions.record_decision(whole, clean_messages(done.messages, done.trader_id))
        behind = [name for opened in done.entries for name in opened.behind]
        for one in done.exits:
            _close(one.held, one.exit, made.id, behind)
        for opened in done.entries:
            _open(opened, done.provider, made.id)
        if watches_decisions(done.guards):
            tell(RecordedFact(RecordedKind.DECISION, done.trader_id, _ms(done.decided_at)))
        for one in done.exits:
            tell(RecordedFact(RecordedKind.TRADE, done.trader_id, _filled_ms(one.exit), one.held.symbol))
        _beat(after(), tell, done.number)
    done.decision_id, done.cycle_number = made.id, made.cycle_number


def exit_filled(held: PositionRecord, filled: OrderStanding) -> None:
    """A stop, a target, a liquidation or a close that was asked for: filled at the exchange, not yet in the record."""
    with followed() as tell:
        if _close(held, filled, None):
            tell(RecordedFact(RecordedKind.TRADE, held.trader_id, _filled_ms(filled), held.symbol))
    projecting.changed(held.trader_id)


def beat(told: Beat) -> None:
    """Equity of now, and the runtime report."""
    with followed() as tell:
        _beat(told, tell)
    projecting.changed(told.trader_id)


def _beat(told: Beat, tell: Callable[[RecordedFact], None], number: int = 0) -> None:
    """With the `number` of a cycle it ends the cycle, in the statement of its equity where there is one."""
    account = told.account
    detail = ReportDetail(
        decision=ReportedCycle(last_at=told.last_at, next_at=told.next_at) if told.last_at or told.next_at else None,
        allocation=Capital(
            equity_usd=account.equity, used_margin_usd=account.used_margin, available_margin_usd=account.available
        )
        if account
        else None,
        performance=ReportedPerformance(sharpe_ratio=told.sharpe_ratio, total_pnl_usd=account.realized)
        if account
        else None,
        last_error=LastError(message=_for_a_page(told.error), at=told.now) if told.error else None,
    )
    clean, _found = without_secrets(detail, f"the report of {told.trader_id}")
    if account is not None and account.equity is not None:
        point = EquityPoint(
            told.trader_id,
            _ms(told.account_at or told.now),
            account.equity,
            realized=account.realized,
            unrealized=account.unrealized,
        )
        is_first = writer.finish_cycle_with(point, number) if number else writer.add_equity(point)
        if number and not is_first:
            raise _FinishedBefore
        if is_first and watches_equity(told.guards):
            tell(RecordedFact(RecordedKind.EQUITY, told.trader_id, point.ts_ms))
    elif number and not writer.finish_cycle(told.trader_id, number):
        raise _FinishedBefore
    runtime.report(
        told.trader_id,
        version=told.version,
        is_running=told.is_running,
        detail=clean.stored(),
        # Of a trader that was retired: whether it may be said to run.
        is_flat=not (account and account.positions),
    )


def _for_a_page(error: str) -> str:
    """An error may repeat what a model or an endpoint said, with characters that no report holds."""
    short = error[:MOST_ERROR_CHARACTERS]
    return "".join(one if unprintable(one, allowed="\n\t") is None else " " for one in short)


def plan_moved(
    held: PositionRecord,
    *,
    now: datetime,
    stop: Decimal | None = None,
    funding: Decimal | None = None,
    is_funding_known: bool = True,
) -> None:
    """A trailing stop that moved, or funding that was paid: an event that holds the whole plan."""
    plan = held.detail.exit_plan or ExitPlan()
    event = PositionEvent(
        kind=EventKind.PLAN,
        at_ms=_ms(now),
        tp_price=plan.tp_price,
        sl_price=plan.sl_price if stop is None else stop,
        trailing_stop_pct=plan.trailing_stop_pct,
        invalidation_condition=plan.invalidation_condition,
        funding=funding,
        is_funding_unknown=None if is_funding_known else True,
    )
    parts.record_event(held.trader_id, held.symbol, event)
    projecting.changed(held.trader_id)


def _open(done: EntryDone, provider: str, decision_id: int) -> None:
    fill, order, decision = done.entry.fill, done.entry.asked, done.decision
    assert fill is not None
    symbols.add([order.symbol])
    recorded = [order.client_order_id]
    if done.is_increase:
        event = PositionEvent(
            kind=EventKind.INCREASE,
            at_ms=_ms(fill.at),
            quantity=fill.quantity,
            price=fill.price,
            commission=fill.commission,
            order_id=order.client_order_id,
            fill_id=order.client_order_id,
            decision_id=decision_id,
        )
        parts.record_event(order.trader_id, order.symbol, event)
        if done.plan is not None:
            planned = PositionEvent(
                kind=EventKind.PLAN,
                at_ms=_ms(fill.at),
                order_id=order.client_order_id,
                decision_id=decision_id,
                **dict(done.plan),
            )
            parts.record_event(order.trader_id, order.symbol, planned)
    else:
        detail = PositionDetail(
            entry=Entry(
                price=fill.price,
                quantity=fill.quantity,
                time_ms=_ms(fill.at),
                leverage=order.leverage,
                commission=fill.commission,
            ),
            exchange=Exchange(provider=provider, margin_mode=MARGIN_MODE),
            orders=Orders(
                entry_oid=order.client_order_id,
                sl_oid=done.stop.asked.client_order_id if done.stop else None,
                tp_oid=done.target.asked.client_order_id if done.target else None,
            ),
            exit_plan=ExitPlan(
                sl_price=decision.stop_loss or None,
                tp_price=decision.take_profit or None,
                invalidation_condition=decision.invalidation_condition,
            ),
            risk=PositionRisk(confidence=decision.confidence, risk_usd=decision.risk_usd),
        )
        positions.open_position(
            trader_id=order.trader_id, symbol=order.symbol, side=order.side, detail=detail, decision_id=decision_id
        )
    writer.put_recorded(order.trader_id, recorded)


def _close(
    held: PositionRecord, filled: OrderStanding, decision_id: int | None, behind_entries: Collection[str] = ()
) -> bool:
    """False where the position was closed before. Its other orders end with it, but not those that rest behind the
    entries of the same cycle."""
    fill, order = filled.fill, filled.asked
    assert fill is not None
    try:
        positions.close_position(
            trader_id=held.trader_id,
            symbol=held.symbol,
            price=fill.price,
            closed_at_ns=_ms(fill.at) * NANOSECONDS_PER_MS,
            fills=_fills(held, filled),
            decision_id=decision_id,
        )
    except NoOpenPosition:
        writer.put_recorded(order.trader_id, [order.client_order_id])
        return False
    writer.put_recorded(order.trader_id, [order.client_order_id])
    writer.cancel_resting(held.trader_id, held.symbol, behind_entries)
    return True


def _fills(held: PositionRecord, filled: OrderStanding) -> list[Fill]:
    """Of the whole position; where it has events, these tell the entry."""
    fill, entry = filled.fill, held.detail.entry
    assert fill is not None
    last = Fill(
        type=FillType.EXIT,
        order_id=filled.asked.client_order_id,
        fill_id=filled.asked.client_order_id,
        price=fill.price,
        quantity=fill.quantity,
        commission=fill.commission,
        is_crossed=filled.asked.kind is not OrderKind.TARGET,
        liquidation="liquidated" if fill.liquidated else None,
        ts_ms=_ms(fill.at),
    )
    if held.detail.events:
        return [last]
    order_id = held.detail.orders.entry_oid if held.detail.orders else None
    first = Fill(
        type=FillType.ENTRY,
        order_id=order_id,
        fill_id=order_id,
        price=entry.price,
        quantity=entry.quantity,
        commission=entry.commission,
        ts_ms=entry.time_ms,
    )
    return [first, last]


def _filled_ms(filled: OrderStanding) -> int:
    assert filled.fill is not None
    return _ms(filled.fill.at)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
