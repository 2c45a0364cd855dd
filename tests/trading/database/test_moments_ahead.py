"""No moment that SQL writes into a row lies more than a day ahead; what a row from before says does not hold it up."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_trader, sync_traders
from tests.rows_from_before import put_rules_back, take_rules_away
from tests.traders.database import direct
from tests.trading.bad_rows import position_detail, trade_detail
from tests.trading_factories import OPENED_MS
from traders.database.violations import violated_rule
from traders.models import (
    ClockRefusal,
    TraderControl,
    TraderControlAck,
    TraderRuntimeState,
    TraderSymbolCooldown,
)
from traders.schema import jsonio
from traders.schema.tokens import Scope
from traders.tokens import services as tokens
from trading.models import (
    EquityTransfer,
    ExchangeDifference,
    ManagerCycle,
    ManagerOrder,
    MoveIn,
    Position,
    PriceHistory,
    ProviderSymbol,
    Symbol,
    Trade,
)
from trading.record.distribution import queries, writer
from trading.record.distribution.rules import TABLES
from trading.record.writing import parts, positions
from trading.schema.common import EventKind, PositionEvent

pytestmark = pytest.mark.django_db

TRADER = "steady_long"
DAY_MS = 86_400_000
# Days from now. The rule is a day; a slow run must not cross it.
DAYS = st.floats(-900, 900).filter(lambda days: abs(days - 1) > 0.1)
OPEN = """
INSERT INTO positions (id, trader_id, symbol, side, status, detail) VALUES (%s, %s, %s, 'long', 'open', %s::jsonb)
"""
TRADED = """
INSERT INTO trades (id, trader_id, symbol, side, close_ts_ms, detail) VALUES (%s, %s, 'BTC', 'long', %s, %s::jsonb)
"""
CHANGE = "UPDATE positions SET detail = %s::jsonb WHERE id = 'steady_long|BTC'"
CLOSE = {"price": 110, "quantity": 1, "pnl": 10}


@pytest.fixture(autouse=True)
def _trader() -> None:
    sync_traders(make_trader())


def ms(days: float) -> int:
    return int(time.time() * 1000 + days * DAY_MS)


def moment(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def event(days: float, kind: str = "plan") -> dict[str, Any]:
    return {"kind": kind, "at_ms": ms(days), "remaining": 1, "avg_entry": 100}


def held(**more: Any) -> dict[str, Any]:
    return position_detail(entry={"price": 100, "quantity": 1, "time_ms": OPENED_MS, "leverage": 5}, **more)


def against(days: float) -> dict[str, Any]:
    return {"reason": "a stop", "at_ms": ms(days)}


def open_(detail: dict[str, Any], symbol: str = "BTC") -> None:
    direct.execute(OPEN, f"{TRADER}|{symbol}", TRADER, symbol, jsonio.dumps(detail))


def change(detail: dict[str, Any]) -> None:
    direct.execute(CHANGE, jsonio.dumps(detail))


def open_before(detail: dict[str, Any]) -> None:
    """As before the rules."""
    take_rules_away()
    open_(detail)
    put_rules_back(inside=True)


def trade(close_ms: int, fill_ms: int, **more: Any) -> None:
    """A trade of SQL, from the entry of `held` to a close."""
    detail = trade_detail(**more)
    detail["time"] = {
        "open_ts_ms": OPENED_MS,
        "close_ts_ms": close_ms,
        "duration_seconds": Decimal(close_ms - OPENED_MS) / 1000,
    }
    detail["fills"] = [{"type": "exit", "price": 110, "quantity": 1, "ts_ms": fill_ms}]
    direct.execute(TRADED, f"{TRADER}|BTC|{close_ms}000000", TRADER, close_ms, jsonio.dumps(detail))


def is_taken(write: Callable[..., Any], *given: Any, **more: Any) -> bool:
    """Undone in any case. Only the clock may be why it is refused."""
    refusal = ""
    with transaction.atomic():
        try:
            with transaction.atomic():
                write(*given, **more)
        except IntegrityError as error:
            refusal = str(error)
        transaction.set_rollback(True)
    assert "ahead" in refusal or not refusal
    return not refusal


# --- Positions ---


@given(days=st.lists(DAYS, min_size=1, max_size=4))
def test_a_new_position_is_refused_where_any_event_lies_ahead(days: list[float]) -> None:
    assert is_taken(open_, held(events=[event(one) for one in days])) is all(one < 1 for one in days)


@pytest.mark.plain
@given(before=st.lists(DAYS, max_size=3), added=st.lists(DAYS, max_size=3))
def test_of_a_position_from_before_only_added_events_are_looked_at(before: list[float], added: list[float]) -> None:
    known = [event(one) for one in before]

    def add() -> None:
        open_before(held(events=known))
        change(held(events=[*known, *(event(one) for one in added)]))

    assert is_taken(add) is all(one < 1 for one in added)


@pytest.mark.parametrize("part", ["reported", "against_control"])
@given(days=DAYS)
def test_what_was_reported_and_an_entry_against_a_control_lie_not_ahead(part: str, days: float) -> None:
    given_ = {part: against(days)}

    def changed() -> None:
        open_(held())
        change(held(**given_))

    assert is_taken(open_, held(**given_)) is (days < 1)
    assert is_taken(changed) is (days < 1)


@pytest.mark.parametrize("column", ["created_at", "updated_at"])
@given(days=DAYS)
def test_a_position_is_made_and_changed_now(column: str, days: float) -> None:
    def insert() -> None:
        direct.execute(
            f"INSERT INTO positions (id, trader_id, symbol, side, status, detail, {column})"
            " VALUES ('steady_long|BTC', 'steady_long', 'BTC', 'long', 'open', %s::jsonb, %s)",
            *(jsonio.dumps(held()), moment(days)),
        )

    def update() -> None:
        open_(held())
        Position.objects.update(**{column: moment(days)})

    assert is_taken(insert) is (days < 1)
    assert is_taken(update) is (days < 1)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(lambda: {"kind": "plan", "at_ms": ms(9)}, id="one that is no list"),
        pytest.param(lambda: [[event(9)]], id="a list in a list"),
        pytest.param(lambda: [event(0), {"kind": "plan", "at_ms": [ms(9)]}], id="a moment in a list"),
    ],
)
def test_events_of_another_shape_hide_no_moment(events: Callable[[], Any]) -> None:
    def change_to() -> None:
        open_(held())
        change(held(events=events()))

    with pytest.raises(IntegrityError), transaction.atomic():
        open_(held(events=events()))
    with pytest.raises(IntegrityError), transaction.atomic():
        change_to()


@pytest.mark.plain
def test_the_refusal_names_what_lies_ahead() -> None:
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        open_(held(events=[event(2)]))
    found = violated_rule(error.value)
    assert found is not None
    assert (found.path, "not more than a day ahead" in str(found.message)) == ("created_at, updated_at, detail", True)


def old_position() -> dict[str, Any]:
    """All that it says lies ahead, but for the entry."""
    opened = event(30, "open") | {"at_ms": OPENED_MS, "quantity": 2, "price": 100, "remaining": 2}
    reduced = event(30, "reduce") | {"quantity": 1, "price": 110, "gross": 10}
    return held(events=[opened, reduced], reported=against(40), against_control=against(50))


def open_old_position() -> dict[str, Any]:
    detail = old_position()
    open_before(detail)
    take_rules_away()
    Position.objects.update(created_at=moment(60), updated_at=moment(60))
    put_rules_back(inside=True)
    return detail


@pytest.mark.plain
def test_a_position_from_before_is_changed_and_closed() -> None:
    open_old_position()
    plan = PositionEvent(kind=EventKind.PLAN, at_ms=ms(0), tp_price=Decimal(120))
    parts.record_event(TRADER, "BTC", plan)

    made = positions.close_position(trader_id=TRADER, symbol="BTC", price=Decimal(115), closed_at_ns=ms(0) * 10**6)

    assert Position.objects.get().status == "closed"
    assert max(fill.ts_ms for fill in made.detail.fills) > ms(29)
    assert Trade.objects.get().pk == made.id


@pytest.mark.plain
def test_a_position_from_before_is_closed_with_sql() -> None:
    detail = open_old_position()
    closed_ms = ms(0)
    direct.execute(
        "UPDATE positions SET status = 'closed', detail = detail || %s::jsonb",
        jsonio.dumps({"close": {**CLOSE, "time_ms": closed_ms}}),
    )
    trade(closed_ms, detail["events"][1]["at_ms"], against_control=detail["against_control"])
    assert Trade.objects.count() == 1


# --- Trades ---


@given(days=DAYS)
def test_a_fill_of_a_trade_lies_not_ahead(days: float) -> None:
    assert is_taken(trade, ms(0), ms(days)) is (days < 1)


@given(days=DAYS)
def test_a_trade_names_no_entry_against_a_control_ahead(days: float) -> None:
    assert is_taken(trade, ms(0), ms(0), against_control=against(days)) is (days < 1)


@pytest.mark.plain
def test_a_trade_tells_no_moment_ahead_but_that_of_its_position() -> None:
    detail = open_old_position()
    known = detail["events"][1]["at_ms"]
    assert is_taken(trade, ms(0), known)
    assert not is_taken(trade, ms(0), known + 1)
    assert not is_taken(trade, ms(0), known, against_control=against(70))


# --- The spread form ---


@pytest.mark.plain
def test_as_constraints_the_rules_refuse_the_same() -> None:
    """What `manage.py distribute` makes of the triggers."""
    names = {"positions_moments_not_ahead", "trades_moments_not_ahead"}
    rules = [rule for rule in queries.row_rules(queries.triggers(list(TABLES))) if rule.name in names]
    assert {rule.name for rule in rules} == names
    for one in queries.triggers(list(TABLES)):
        writer.drop_trigger(one.table, one.name)
    for rule in rules:
        writer.add_rule(rule)

    open_(held(), "ETH")
    assert is_taken(open_, held(events=[event(0.9)], reported=against(0.9)))
    assert not is_taken(open_, held(events=[event(0), event(1.1)]))
    assert not is_taken(open_, held(reported=against(1.1)))
    assert not is_taken(Position.objects.update, created_at=moment(1.1))
    assert is_taken(trade, ms(0), ms(0.9))
    assert not is_taken(trade, ms(0), ms(1.1))


# --- Other tables ---


def _control_ack(**moments: datetime) -> TraderControlAck:
    control = TraderControl.objects.create(trader_id=TRADER, kind="stop", reason="a test", actor="mei")
    return TraderControlAck(
        **{"control": control, "trader_id": TRADER, "result": "done", "actor": "e", "at": moment(0), **moments}
    )


def _refusal(**moments: datetime) -> ClockRefusal:
    token, _text = tokens.create(name="engine-1", scopes=[Scope.READ_CONFIG], actor="ann")
    return ClockRefusal(token_id=token.id, trader_id=TRADER, what="close", symbol="BTC", ahead_ms=1, **moments)


def _order(**moments: datetime) -> ManagerOrder:
    numbers = dict.fromkeys(("quantity", "leverage", "slippage_bps"), Decimal(1))
    texts = {"symbol": "BTC", "action": "open_long", "kind": "entry", "side": "long", "style": "market"}
    dated = {"sent_at": moment(0), **moments}
    return ManagerOrder(trader_id=TRADER, client_order_id="0" * 32, cycle=1, state="sent", **texts, **numbers, **dated)


def _difference(**moments: datetime) -> ExchangeDifference:
    return ExchangeDifference(
        trader_id=TRADER, kind="only_there", subject="BTC long", detail={}, reported_by="e", **moments
    )


def _settled(settled_at: datetime) -> ExchangeDifference:
    found = _difference(settled_at=settled_at)
    found.settlement, found.settled_by, found.reason = "dismissed", "mei", "a test"
    return found


def _transfer(created_at: datetime) -> EquityTransfer:
    booked = {"kind": "deposit", "reason": "more capital", "actor": "mei"}
    return EquityTransfer(
        transfer_id="t", trader_id=TRADER, ts_ms=OPENED_MS, amount_usd=1, created_at=created_at, **booked
    )


def _cycle(opened_at: datetime) -> ManagerCycle:
    return ManagerCycle(trader_id=TRADER, number=1, config_version=1, state="done", opened_at=opened_at, detail={})


def _move(at: datetime) -> MoveIn:
    return MoveIn(actor="mei", source="nof0", generation="legacy", refused=0, report={}, rejects=[], at=at)


def _cooldown(created_at: datetime) -> TraderSymbolCooldown:
    return TraderSymbolCooldown(trader_id=TRADER, symbol="BTC", cooldown_until=moment(90), created_at=created_at)


def _prices(at: datetime) -> PriceHistory:
    one = {name: [None] for name in ("volumes", "opens", "highs", "lows")}
    at_ms = int(at.timestamp() * 1000)
    return PriceHistory(
        provider="p", symbol="BTC", interval="", day=date(2025, 11, 3), moments_ms=[OPENED_MS, at_ms], prices=[1], **one
    )


# {column: the row with this moment}
ROWS: dict[str, Callable[[datetime], models.Model]] = {
    "symbols.first_seen_at": lambda at: Symbol(symbol="S", first_seen_at=at),
    "provider_symbols.first_seen_at": lambda at: ProviderSymbol(provider="p", symbol="S", first_seen_at=at),
    "exchange_differences.found_at": lambda at: _difference(found_at=at),
    "exchange_differences.seen_at": lambda at: _difference(seen_at=at),
    "exchange_differences.agreed_at": lambda at: _difference(agreed_at=at),
    "exchange_differences.settled_at": _settled,
    "manager_cycles.opened_at": _cycle,
    "manager_orders.sent_at": lambda at: _order(sent_at=at),
    "manager_orders.filled_at": lambda at: _order(filled_at=at),
    "manager_orders.updated_at": lambda at: _order(updated_at=at),
    "move_ins.at": _move,
    "price_history.moments_ms": _prices,
    "equity_transfers.created_at": _transfer,
    "trader_symbol_cooldowns.created_at": _cooldown,
    "clock_refusals.first_at": lambda at: _refusal(first_at=at),
    "clock_refusals.last_at": lambda at: _refusal(last_at=at),
    "trader_control_acks.at": lambda at: _control_ack(at=at),
    "trader_control_acks.received_at": lambda at: _control_ack(received_at=at),
}
APPEND_ONLY = {"equity_transfers.created_at", "trader_control_acks.at", "trader_control_acks.received_at"}


@pytest.mark.parametrize("column", ROWS)
def test_a_row_that_is_written_ahead_is_refused(column: str) -> None:
    assert is_taken(lambda: ROWS[column](moment(0.9)).save(force_insert=True))
    assert not is_taken(lambda: ROWS[column](moment(1.1)).save(force_insert=True))


@pytest.mark.parametrize("column", sorted(set(ROWS) - APPEND_ONLY))
def test_a_row_is_not_moved_ahead(column: str) -> None:
    table, _dot, name = column.partition(".")
    row = ROWS[column](moment(0))
    row.save(force_insert=True)
    late = "%s" if name != "moments_ms" else "ARRAY[(extract(epoch FROM %s) * 1000)::bigint]"
    statement = f"UPDATE {table} SET {name} = {late}"
    assert is_taken(lambda: direct.execute(statement, moment(0.9)))
    assert not is_taken(lambda: direct.execute(statement, moment(1.1)))


@pytest.mark.plain
@pytest.mark.parametrize("column", sorted(set(ROWS) - APPEND_ONLY))
def test_a_row_from_before_is_changed_otherwise(column: str) -> None:
    table, _dot, name = column.partition(".")
    take_rules_away()
    ROWS[column](moment(30)).save(force_insert=True)
    put_rules_back(inside=True)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {name} = {name}")
        assert cursor.rowcount == 1


def test_a_heartbeat_comes_not_from_tomorrow() -> None:
    state = TraderRuntimeState.objects.filter(pk=TRADER)
    assert is_taken(lambda: state.update(updated_at=moment(0.9)))
    assert not is_taken(lambda: state.update(updated_at=moment(1.1)))


@pytest.mark.parametrize("table", ["trades", "decision_journal"])
def test_a_row_of_the_record_is_made_now(table: str) -> None:
    def insert(days: float) -> None:
        if table == "trades":
            trade(ms(0), ms(0))
        else:
            direct.execute(
                "INSERT INTO decision_journal (trader_id, cycle_number, decided_at, success, detail)"
                " VALUES ('steady_long', 1, now(), true, '{}')"
            )
        columns = "trader_id, symbol, side, close_ts_ms, detail"
        if table == "decision_journal":
            columns = "trader_id, decided_at, success, detail"
        key, again = ("id", "id || 'x'") if table == "trades" else ("cycle_number", "cycle_number + 1")
        direct.execute(
            f"INSERT INTO {table} ({key}, {columns}, created_at) SELECT {again}, {columns}, %s FROM {table}",
            moment(days),
        )

    assert is_taken(insert, 0.9)
    assert not is_taken(insert, 1.1)
