"""The database refuses, whoever writes SQL, what no reader can use; rows from before the rules can be settled."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DataError, IntegrityError, connection, transaction

from tests.factories import make_trader, save_edit, sync_traders
from tests.rows_from_before import put_rules_back, take_rules_away
from tests.traders.database import direct
from tests.trading.bad_rows import CLOSED_MS, decision_detail, position_detail, trade_detail
from tests.trading_factories import OPENED_MS, make_position, make_trade
from traders.database.violations import violated_rule
from traders.schema import jsonio
from trading.record.exclusions import services as exclusions
from trading.record.writing import positions, trades
from trading.schema.decision import DecisionDetail
from trading.schema.exclusion import RecordKey, RecordKind
from trading.schema.leaf import LeafKind, Part, leaves_of
from trading.schema.position import PositionDetail
from trading.schema.trade import Pnl, TradeDetail

pytestmark = pytest.mark.django_db

TRADER = "steady_long"
BAD_MOMENTS = ["infinity", "-infinity", "2009-12-31 23:59:59+00", "1970-01-21 12:00:00+00", "2100-01-02 00:00:00+00"]
BAD_MS = [CLOSED_MS // 1000, CLOSED_MS * 1000, CLOSED_MS * 10**6, 0, 1_262_303_999_999]
NUMBERS = {LeafKind.MONEY, LeafKind.PRICE, LeafKind.QUANTITY, LeafKind.NUMBER, LeafKind.PERCENT, LeafKind.SECONDS}
# The engine's own cycle number is read as a whole number of any size, and versions are cast by generated columns.
LEAVES: dict[str, tuple[type[Part], Callable[..., dict[str, Any]]]] = {
    "trades": (TradeDetail, trade_detail),
    "positions": (PositionDetail, position_detail),
    "decision_journal": (DecisionDetail, decision_detail),
}


@pytest.fixture(autouse=True)
def _trader() -> None:
    sync_traders(make_trader())


def refused(sql: str, *parameters: Any) -> str:
    """The path that the refusal names."""
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        _execute_and_check(sql, *parameters)
    found = violated_rule(error.value)
    assert found is not None, error.value
    return found.path


def _execute_and_check(sql: str, *parameters: Any) -> None:
    direct.execute(sql, *parameters)
    direct.execute("SET CONSTRAINTS ALL IMMEDIATE")


def insert(table: str, detail: Any) -> tuple[str, list[Any]]:
    text = jsonio.dumps(detail)
    match table:
        case "trades":
            return (
                "INSERT INTO trades (id, trader_id, symbol, side, close_ts_ms, detail) VALUES ('t', %s, 'BTC', 'long',"
                " %s, %s)",
                [TRADER, CLOSED_MS, text],
            )
        case "positions":
            return (
                "INSERT INTO positions (id, trader_id, symbol, side, status, detail)"
                " VALUES (%s, %s, 'BTC', 'long', 'open', %s)",
                [f"{TRADER}|BTC", TRADER, text],
            )
    return (
        "INSERT INTO decision_journal (trader_id, config_version, cycle_number, decided_at, success, detail)"
        " VALUES (%s, 1, 1, now(), true, %s)",
        [TRADER, text],
    )


def with_leaf(detail: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """`path` as `leaves_of` gives it: `detail.fills[].price`."""
    place: Any = detail
    *parts, last = path.split(".")[1:]
    for part in parts:
        if part.endswith("[]"):
            items = place.setdefault(part[:-2], [{}]) or [{}]
            place[part[:-2]] = items
            place = items[0]
        else:
            place = place.setdefault(part, {})
    place[last] = value
    return detail


def leaves(kinds: set[LeafKind]) -> list[tuple[str, str]]:
    return [
        (table, leaf.path)
        for table, (model, _detail) in LEAVES.items()
        for leaf in leaves_of(model)
        if leaf.kind in kinds and leaf.path != "detail.close.pnl"
    ]


@pytest.mark.parametrize(("table", "path"), leaves(NUMBERS))
def test_no_leaf_that_is_a_number_takes_what_is_none(table: str, path: str) -> None:
    for value in ("NaN", "Infinity", "1e5", 10**30, -(10**30)):
        sql, parameters = insert(table, with_leaf(LEAVES[table][1](), path, value))
        # A text that a generated column cannot cast is no row at all.
        with pytest.raises((IntegrityError, DataError)), transaction.atomic():
            direct.execute(sql, *parameters)


@pytest.mark.parametrize(("table", "path"), leaves({LeafKind.MOMENT_MS}))
def test_no_leaf_that_is_a_moment_takes_another_unit(table: str, path: str) -> None:
    for value in (*BAD_MS, "2026-01-01", 1.5):
        sql, parameters = insert(table, with_leaf(LEAVES[table][1](), path, value))
        # A text that a generated column cannot cast is no row at all.
        with pytest.raises((IntegrityError, DataError)), transaction.atomic():
            direct.execute(sql, *parameters)


@pytest.mark.parametrize("table", LEAVES)
def test_details_as_they_should_be_are_taken(table: str) -> None:
    sql, parameters = insert(table, LEAVES[table][1]())
    direct.execute(sql, *parameters)


# {table: (columns that are moments, an update of a row that is there)}
MOMENT_COLUMNS = [
    ("trader_config", "created_at"),
    ("trader_config", "updated_at"),
    ("manager_config", "created_at"),
    ("manager_config", "updated_at"),
    ("trader_runtime_state", "updated_at"),
    ("yaml_base", "synced_at"),
]


@pytest.mark.parametrize("moment", BAD_MOMENTS)
@pytest.mark.parametrize(("table", "column"), MOMENT_COLUMNS)
def test_no_column_takes_a_moment_that_no_reader_can_use(table: str, column: str, moment: str) -> None:
    assert refused(f"UPDATE {table} SET {column} = %s", moment) == column


@pytest.mark.parametrize("moment", BAD_MOMENTS)
def test_rows_that_are_only_added_take_no_such_moment_either(moment: str) -> None:
    version = (
        "INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,"
        " change_set, source, history_date, history_change_reason, history_type, history_user_id) SELECT id, 1,"
        " exchange_provider, market_provider, allocation_pct, detail, 1, 'x', %s, 'x', '+', 'x' FROM trader_config"
    )
    assert refused(version, moment) == "history_date"
    cooldown = "INSERT INTO trader_symbol_cooldowns (trader_id, symbol, cooldown_until) VALUES (%s, 'BTC', %s)"
    assert refused(cooldown, TRADER, moment) == "cooldown_until"
    decision = insert("decision_journal", {})[0].replace("now()", "%s")
    assert refused(decision, TRADER, moment, "{}") == "decided_at"
    said = (
        "INSERT INTO conversation_messages (trader_id, conversation, sequence, role, content, sent_at)"
        " VALUES (%s, 'c', 0, 'user', 'x', %s)"
    )
    assert refused(said, TRADER, moment) == "sent_at"
    assert refused("INSERT INTO symbols (symbol, first_seen_at) VALUES ('NEW', %s)", moment) == "first_seen_at"
    token = (
        "INSERT INTO api_tokens (name, digest, hint, scopes, created_by, expires_at)"
        " VALUES ('t', repeat('a', 64), 'x', '{read-config}', 'x', %s)"
    )
    if moment in ("infinity", "2100-01-02 00:00:00+00"):
        assert refused(token, moment) == "expires_at"


@pytest.mark.parametrize("ts_ms", BAD_MS)
def test_equity_and_trades_take_no_moment_of_another_unit(ts_ms: int) -> None:
    equity = "INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd) VALUES (%s, %s, 1)"
    assert refused(equity, TRADER, ts_ms) == "ts_ms"
    detail = trade_detail(time={"open_ts_ms": ts_ms, "close_ts_ms": ts_ms, "duration_seconds": 0})
    sql, parameters = insert("trades", detail)
    parameters[1] = ts_ms
    assert refused(sql, *parameters) in ("close_ts_ms", "detail.time")


@pytest.mark.parametrize("column", ["equity_usd", "realized_pnl_usd", "unrealized_pnl_usd"])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e16"])
def test_equity_is_a_finite_number(column: str, value: str) -> None:
    columns = {"equity_usd": "1", column: value}
    sql = f"INSERT INTO equity_snapshots (trader_id, ts_ms, {', '.join(columns)}) VALUES (%s, %s"
    assert refused(f"{sql}{', %s' * len(columns)})", TRADER, CLOSED_MS, *columns.values()) == column


def test_sums_of_versions_are_not_spoilt_by_hand() -> None:
    trades.record_trade(make_trade(TRADER))
    for change in ("net_pnl = 'NaN'", "commission = 'Infinity'", "first_close_ms = 1", "wins = 99", "losses = -1"):
        with pytest.raises(IntegrityError, match="version_results"), transaction.atomic():
            direct.execute(f"UPDATE version_results SET {change}")


def test_an_engine_reports_a_version_that_exists() -> None:
    assert refused("UPDATE trader_runtime_state SET active_config_version = 2") == "active_config_version"
    save_edit(TRADER, detail__risk__max_positions=2)
    direct.execute("UPDATE trader_runtime_state SET active_config_version = 2")
    direct.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    "detail",
    [
        {"allocation": {"equity_usd": "NaN"}},
        {"performance": {"sharpe_ratio": "Infinity"}},
        {"decision": {"last_at": "infinity"}},
        {"pause": {"until": 1795918000}},
    ],
)
def test_a_report_holds_numbers_and_moments(detail: dict[str, Any]) -> None:
    [part] = detail
    assert refused("UPDATE trader_runtime_state SET detail = %s", jsonio.dumps(detail)) == f"detail.{part}"


def closed(**close: Any) -> dict[str, Any]:
    whole = {"price": 110, "quantity": 1, "time_ms": CLOSED_MS, "pnl": 9}
    return position_detail(close=whole | close)


CLOSE = "UPDATE positions SET status = 'closed', detail = %s, updated_at = clock_timestamp() WHERE trader_id = %s"


def _open() -> None:
    sql, parameters = insert("positions", position_detail())
    direct.execute(sql, *parameters)


@pytest.mark.plain
@pytest.mark.parametrize(
    "close",
    [
        {"price": None},
        {"price": "NaN"},
        {"price": -1},
        {"quantity": None},
        {"time_ms": None},
        {"time_ms": CLOSED_MS // 1000},
        {"time_ms": CLOSED_MS - 1_000_001},
        {"pnl": "NaN"},
    ],
)
def test_a_close_tells_its_facts_and_lies_after_the_entry(close: dict[str, Any]) -> None:
    _open()
    assert refused(CLOSE, jsonio.dumps(closed(**close)), TRADER) == "detail.close"

    direct.execute(CLOSE, jsonio.dumps(closed()), TRADER)


@pytest.mark.plain
def test_a_closed_position_is_inserted_with_its_facts_only() -> None:
    sql, parameters = insert("positions", closed(price="NaN"))
    sql, parameters[0] = sql.replace("'open'", "'closed'"), f"{TRADER}|BTC|1"
    assert refused(sql, *parameters) == "detail.close"
    parameters[2] = jsonio.dumps(closed() | {"entry": {"price": "NaN", "quantity": 1, "time_ms": CLOSED_MS}})
    assert refused(sql, *parameters) == "detail"


@pytest.mark.plain
def test_a_closed_position_is_not_opened_again_under_its_id() -> None:
    _open()
    direct.execute(CLOSE, jsonio.dumps(closed()), TRADER)
    assert refused("UPDATE positions SET status = 'open', detail = detail - 'close'") == "status"


# --- Rows from before ---


def add_before(table: str, detail: Any) -> None:
    """As before the rules, which are added again as the migration adds them."""
    take_rules_away()
    sql, parameters = insert(table, detail)
    direct.execute(sql, *parameters)
    put_rules_back(inside=True)


@pytest.mark.plain
@pytest.mark.parametrize(
    "entry",
    [
        {"price": 100, "quantity": 1, "time_ms": CLOSED_MS // 1000},
        {"price": 100, "quantity": 1, "time_ms": CLOSED_MS * 10**6},
        {"price": "NaN", "quantity": 1, "time_ms": OPENED_MS},
        {"price": 100, "quantity": "Infinity", "time_ms": OPENED_MS},
    ],
)
def test_a_bad_open_position_from_before_can_be_closed_in_sql(entry: dict[str, Any]) -> None:
    add_before("positions", position_detail(entry=entry))
    direct.execute(CLOSE, jsonio.dumps(closed() | {"entry": entry}), TRADER)
    assert direct.value("SELECT status FROM positions") == "closed"
    # And makes way when the symbol reopens.
    direct.execute("UPDATE positions SET id = id || '|1'")


def test_a_bad_open_position_from_before_can_be_set_aside() -> None:
    add_before("positions", position_detail(reported={"unrealized_pnl": "NaN"}))
    exclusions.set_aside([RecordKey(RecordKind.POSITION, f"{TRADER}|BTC")], reason="spoilt", actor="mei")
    assert direct.value("SELECT exclusion_id IS NOT NULL FROM positions") is True


@pytest.mark.plain
def test_a_bad_trade_from_before_can_be_set_aside_and_included_again_only_when_mended() -> None:
    add_before("trades", trade_detail(quantity={"total": "NaN"}))
    exclusions.set_aside([RecordKey(RecordKind.TRADE, "t")], reason="spoilt", actor="mei")
    entry = (
        "INSERT INTO record_exclusions (kind, record_id, trader_id, action, reason, actor)"
        " VALUES ('trade', 't', %s, 'include', 'x', 'mei')"
    )
    assert refused(entry, TRADER) == "detail.quantity"


@pytest.mark.plain
def test_rows_from_before_are_listed_and_the_rest_is_validated() -> None:
    add_before("trades", trade_detail(quantity={"total": "NaN"}))
    listed, unsettled = io.StringIO(), io.StringIO()

    with pytest.raises(SystemExit):
        call_command("check_record", "--validate", stdout=listed, stderr=unsettled)

    assert "trades t: breaks the constraint trades_quantity_can_be_read" in listed.getvalue()
    assert unsettled.getvalue() == "trades: t broke trades_quantity_can_be_read\n"
    left = direct.rows("SELECT conname FROM pg_constraint WHERE NOT convalidated AND contype IN ('c', 'f')")
    assert left == [("trades_quantity_can_be_read",)]


def test_in_a_database_without_such_rows_every_rule_is_validated() -> None:
    left = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated AND contype IN ('c', 'f')"
    assert direct.value(left) == 0


def test_the_service_closes_a_position_whose_entry_cannot_be_read_with_the_fills_of_the_entry() -> None:
    add_before("positions", position_detail(entry={"price": "NaN", "quantity": 1, "time_ms": OPENED_MS}))
    fills = make_trade(TRADER).detail.fills
    made = positions.close_position(
        trader_id=TRADER,
        symbol="BTC",
        price=make_position().entry.price,
        closed_at_ns=(OPENED_MS + 60_000) * 10**6,
        pnl=Pnl(gross=Decimal(1), commission=Decimal(0), net=Decimal(1)),
        fills=fills,
    )
    assert made.detail.prices.avg_entry == fills[0].price
    assert connection.in_atomic_block
