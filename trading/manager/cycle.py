"""One decision cycle of one trader, from what it sees to what it leaves in the record. Reads top to bottom.

The cycle is written before the model is asked (`writer.open_cycle`) and again with the answer. So a manager that starts
in the middle of it knows how far it came, and goes on with `carry_on`, which sends exits and stops but no entry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from trading.manager import recording, writer
from trading.manager.acting import Acting, act
from trading.manager.prompts import PromptStore
from trading.manager.protocols import DeciderAnswer, DeciderFailed, DecisionRequest, ExchangeClient, MarketSource
from trading.manager.queries import OpenCycle, TraderNow
from trading.manager.recording import Beat, CycleRecord, answer_of, record_of, usage_of
from trading.manager.rendering import rendered
from trading.manager.rules.schedule import next_due
from trading.manager.sight import CannotDecide, Sight, account_after, look
from trading.record.rules.errors import InvalidRecord
from trading.record.writing.positions import open_whole
from trading.replay.rules.parsing import parse_answer
from trading.replay.rules.risk_checks import judge
from trading.schema.decision import Decision, DecisionDetail, Engine, Prompt, Usage
from trading.schema.spelling import Spellings


@dataclass(frozen=True)
class CycleParts:
    """What the cycles of a trader work with. `ask` gives the model's answer within its time or raises DeciderFailed.
    `again` as in `Acting`. `clock()` is the moment of now. `hold()` keeps the watch of stops away while orders go out:
    never while a model thinks. `record_fills(number)` records what filled and is in no record yet, but the exits of
    the cycle with this number."""

    market: MarketSource
    exchange: ExchangeClient
    prompts: PromptStore
    ask: Callable[[DecisionRequest], DeciderAnswer]
    again: Callable[[TraderNow], str]
    clock: Callable[[], datetime]
    timeout_seconds: float
    lot_of: Callable[[str], Decimal]
    hold: Callable[[], AbstractContextManager[None]] = nullcontext
    record_fills: Callable[[int], None] = lambda number: None


def run_cycle(trader: TraderNow, parts: CycleParts, due: datetime) -> CycleRecord:
    """Asks the model once, carries out what it decides, and records it. Returns what was recorded."""
    spec, now = trader.spec, parts.clock()
    try:
        sight = look(spec, parts.market, now)
        pair = parts.prompts.pair(spec.detail.prompts)
        system, user = rendered(pair, trader, sight)
    except CannotDecide as reason:
        return _finish(
            trader, parts.clock, None, due, record_of(trader, 0, now, DecisionDetail(error=f"no decision: {reason}"))
        )
    prompt = Prompt(template_sha256=pair.executor_sha256 or None, system_text=system, user_text=user)
    seen = sight.seen.model_copy(update={"prompt": prompt})
    number = writer.open_cycle(spec.id, trader.version, now, seen)
    seen = seen.model_copy(update={"engine": Engine(cycle=number)})
    request = DecisionRequest(
        trader_id=spec.id,
        cycle_number=number,
        model=spec.detail.llm.model,
        system_text=system,
        user_text=user,
        timeout_seconds=parts.timeout_seconds,
        moment=sight.moment,
        settings=spec.detail,
    )
    try:
        answer = parts.ask(request)
    except DeciderFailed as error:
        usage = Usage(attempts=error.attempts) if error.attempts else None
        failed = seen.model_copy(update={"error": f"the model gave no answer: {error}", "usage": usage})
        return _finish(trader, parts.clock, sight, due, record_of(trader, number, now, failed))
    seen = seen.model_copy(update={"answer": answer_of(answer), "usage": usage_of(answer)})
    if not writer.store_answer(spec.id, number, seen):
        # Another manager took over while the model thought, and has finished this cycle.
        return record_of(trader, number, now, seen)
    return carry_on(trader, parts, replace(sight, seen=seen), number, due)


def carry_on(
    trader: TraderNow, parts: CycleParts, sight: Sight, number: int, due: datetime, *, may_enter: bool = True
) -> CycleRecord:
    """From the answer in `sight.seen` to the record. Without `may_enter` no entry is sent: those that were are looked
    up, and what belongs behind them is sent. `trader` is under the version that asked the model."""
    seen = sight.seen
    assert seen.answer is not None
    record = record_of(trader, number, sight.decided_at, seen)
    try:
        decisions = _parsed(seen)
    except InvalidRecord as error:
        record.detail = seen.model_copy(update={"error": f"the answer cannot be read: {error}"})
        return _finish(trader, parts.clock, sight, due, record)
    refusals = judge(decisions, trader.spec.detail, sight.moment)
    with parts.hold():
        if any(one.action.opens or one.action.closes for one in decisions):
            # A stop may have filled whose record failed: its position is closed, and an exit would fill again.
            parts.record_fills(number)
            sight = replace(sight, held=open_whole(trader.spec.id))
        acting = Acting(
            *(trader, parts.market, parts.exchange, parts.again, parts.clock, parts.lot_of, sight, record),
            may_enter=may_enter,
        )
        # Closes first, as the checks counted on it.
        order = sorted(range(len(decisions)), key=lambda place: not decisions[place].action.closes)
        taken = {place: act(acting, decisions[place], refusals[place]) for place in order}
        actions = tuple(action for place in sorted(taken) if (action := taken[place]) is not None)
        record.detail = seen.model_copy(update={"decisions": tuple(decisions), "actions": actions})
        return _finish(trader, parts.clock, sight, due, record)


def decided_symbols(seen: DecisionDetail) -> frozenset[str]:
    """Those in which the answer opens or closes something: orders of the cycle may be at the exchange."""
    if seen.answer is None:
        return frozenset()
    try:
        decisions = _parsed(seen)
    except InvalidRecord:
        return frozenset()
    return frozenset(one.symbol for one in decisions if one.action.opens or one.action.closes)


def interrupted(
    trader: TraderNow, clock: Callable[[], datetime], left: OpenCycle, due: datetime, why_not_asked: str = ""
) -> CycleRecord:
    """A cycle that another manager began and that has no answer: it failed, and its model is not asked again.
    `trader` is under the cycle's version; `why_not_asked`: why its model could not be asked now either."""
    said = "interrupted: the manager ended before the model answered"
    detail = left.seen.model_copy(update={"error": f"{said}; {why_not_asked}" if why_not_asked else said})
    return _finish(trader, clock, None, due, record_of(trader, left.number, left.opened_at, detail))


def _finish(
    trader: TraderNow, clock: Callable[[], datetime], sight: Sight | None, due: datetime, record: CycleRecord
) -> CycleRecord:
    """The record and the report, in one transaction."""

    def after() -> Beat:
        now = clock()
        account, at = account_after(sight, record, now) if sight else (None, now)
        return Beat(
            trader.spec.id,
            trader.version,
            is_running=True,
            account=account,
            account_at=at,
            now=now,
            guards=trader.spec.detail.exec_guards,
            last_at=record.decided_at,
            next_at=next_due(due, trader.interval_seconds, now),
            sharpe_ratio=record.detail.account.sharpe_ratio if record.detail.account else None,
            error=record.detail.error or "",
        )

    recording.cycle(record, after)
    return record


def _parsed(seen: DecisionDetail) -> Sequence[Decision]:
    assert seen.answer is not None
    names = [*(seen.candidates or ()), *(held.symbol for held in seen.positions or ())]
    return parse_answer(seen.answer.text or "", seen.positions, Spellings(names))
