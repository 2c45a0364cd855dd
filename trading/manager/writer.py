"""The writer of the manager's own tables. One cycle's end is one transaction with the record (`finished`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from traders.database import sql
from traders.schema import jsonio
from trading.manager.protocols import OrderAsked, OrderFilled, OrderState
from trading.manager_models import ManagerCycle, ManagerOrder
from trading.record.stored.spread import judging
from trading.record.stored.spread.form import was_spread
from trading.schema.decision import DecisionDetail
from trading.schema.facts import EquityPoint

# Goes on behind the journal, so that cycle and journal have one number where nobody else decides for the trader.
_OPEN = """
INSERT INTO manager_cycles AS c (trader_id, number, config_version, state, opened_at, detail)
SELECT %(trader_id)s, 1 + coalesce((SELECT max(cycle_number) FROM decision_journal WHERE trader_id = %(trader_id)s), 0),
       %(version)s, 'asked', %(now)s, %(detail)s::jsonb
    ON CONFLICT (trader_id) DO UPDATE
   SET number = greatest(c.number + 1, excluded.number), config_version = excluded.config_version, state = 'asked',
       opened_at = excluded.opened_at, detail = excluded.detail
 WHERE c.state = 'done'
RETURNING number
"""
_DONE = (
    "UPDATE manager_cycles SET state = 'done', detail = '{}' WHERE trader_id = %s AND number = %s AND state <> 'done'"
)
_EQUITY = """
INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd, source, realized_pnl_usd, unrealized_pnl_usd)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_SENT = """
INSERT INTO manager_orders (trader_id, client_order_id, cycle, symbol, action, kind, side, style, quantity, leverage,
                            slippage_bps, limit_price, trigger_price, state, sent_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'sent', %s)
    ON CONFLICT DO NOTHING
"""
_FORGET = """
WITH held AS MATERIALIZED (
    SELECT trader_id, symbol FROM positions WHERE trader_id = ANY (%(traders)s) AND status = 'open')
DELETE FROM manager_orders o
 WHERE o.trader_id = ANY (%(traders)s) AND o.is_recorded AND o.sent_at < %(before)s
   AND NOT EXISTS (SELECT 1 FROM held h WHERE h.trader_id = o.trader_id AND h.symbol = o.symbol)
"""


class CycleNotFinished(Exception):
    """The trader's last cycle may have sent orders that are not in the record: no other one begins before it ends."""


def open_cycle(trader_id: str, version: int, now: datetime, seen: DecisionDetail) -> int:
    """The number of the cycle. Committed before the model is asked. Raises CycleNotFinished."""
    given = {"trader_id": trader_id, "version": version, "now": now, "detail": jsonio.dumps(seen.stored())}
    found = sql.values(_OPEN, given)
    if not found:
        raise CycleNotFinished(trader_id)
    return int(found[0])


def store_answer(trader_id: str, number: int, seen: DecisionDetail) -> bool:
    """`seen` with the answer in it. False: the cycle does not wait for one any more."""
    asked = ManagerCycle.objects.filter(trader=trader_id, number=number, state="asked")
    return bool(asked.update(state="answered", detail=seen.stored()))


def finish_cycle(trader_id: str, number: int) -> bool:
    """In the transaction of what the cycle leaves in the record. False: it was finished before."""
    return _wrote(_DONE, trader_id, number)


def finish_cycle_with(point: EquityPoint, number: int) -> bool:
    """As `finish_cycle`, and adds the trader's equity at its end."""
    if was_spread():
        # Two servers may have the two rows.
        with transaction.atomic():
            add_equity(point)
            return finish_cycle(point.trader_id, number)
    return _wrote(f"WITH added AS ({_EQUITY}) {_DONE}", *_values(point), point.trader_id, number)


def add_equity(point: EquityPoint) -> bool:
    """False where the trader has a point of this moment."""
    with transaction.atomic():
        is_new = _wrote(_EQUITY, *_values(point))
        if is_new:
            judging.equity_added([(point.trader_id, point.ts_ms, point.source)])
    return is_new


def forget_orders(trader_ids: Collection[str], before: datetime) -> int:
    """Deletes orders that were sent before a moment and of which nothing is left to do: what they did is in the record.
    Those of a symbol that the trader holds stay. How many there were."""
    return _write(_FORGET, {"traders": list(trader_ids), "before": before}) if trader_ids else 0


@contextmanager
def together() -> Iterator[None]:
    """One transaction for an order's fill and the record of it."""
    with transaction.atomic():
        yield


@contextmanager
def one_entry_of_the_fleet() -> Iterator[None]:
    """One transaction, and no other entry of the fleet meanwhile: two that pass a limit alone may exceed it both."""
    with transaction.atomic():
        _write("SELECT pg_advisory_xact_lock(hashtext('nof0.fleet_entry'))", ())
        yield


def note_sent(order: OrderAsked, now: datetime) -> bool:
    """Before it leaves. False: the order was sent before."""
    return _wrote(
        _SENT,
        *(order.trader_id, order.client_order_id, order.cycle_number, order.symbol, order.action),
        *(order.kind, order.side, order.style, order.quantity, order.leverage, order.slippage_bps),
        *(order.limit_price, order.trigger_price, now),
    )


def lock_order(trader_id: str, client_order_id: str) -> ManagerOrder | None:
    """Until the transaction ends."""
    rows = ManagerOrder.objects.select_for_update()
    found: ManagerOrder | None = rows.filter(trader=trader_id, client_order_id=client_order_id).first()
    return found


def put_state(trader_id: str, client_order_id: str, state: OrderState, *, reason: str = "") -> None:
    """`resting`, or an end without a fill: then nothing of it is left to record."""
    ManagerOrder.objects.filter(trader=trader_id, client_order_id=client_order_id).update(
        state=state, reason=reason, is_recorded=state in (OrderState.CANCELLED, OrderState.REFUSED)
    )


def put_fill(trader_id: str, fill: OrderFilled) -> None:
    ManagerOrder.objects.filter(trader=trader_id, client_order_id=fill.client_order_id).update(
        state=OrderState.FILLED,
        fill_price=fill.price,
        fill_quantity=fill.quantity,
        commission=fill.commission,
        filled_at=fill.at,
        is_liquidation=fill.liquidated,
    )


def move_trigger(trader_id: str, client_order_id: str, price: Decimal) -> None:
    ManagerOrder.objects.filter(trader=trader_id, client_order_id=client_order_id, state=OrderState.RESTING).update(
        trigger_price=price
    )


def put_recorded(trader_id: str, client_order_ids: list[str]) -> None:
    ManagerOrder.objects.filter(trader=trader_id, client_order_id__in=client_order_ids).update(is_recorded=True)


def cancel_resting(trader_id: str, symbol: str, kept: Collection[str] = ()) -> None:
    """Stop and target of a position that is closed: on paper they end with it. `kept`: the client order ids of those
    that belong to its successor."""
    resting = ManagerOrder.objects.filter(trader=trader_id, symbol=symbol, state=OrderState.RESTING)
    resting.exclude(client_order_id__in=kept).update(
        state=OrderState.CANCELLED, is_recorded=True, reason="the position is closed"
    )


def _values(point: EquityPoint) -> tuple[object, ...]:
    return (point.trader_id, point.ts_ms, point.equity, point.source, point.realized, point.unrealized)


def _wrote(statement: str, *values: object) -> bool:
    return _write(statement, values) > 0


def _write(statement: str, values: Sequence[object] | Mapping[str, object]) -> int:
    return sql.execute(statement, values)
