"""`manage.py distribute` on a database without Citus; and, with TEST_CITUS_URL, on one whose record is spread."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.citus import SHARDS, is_citus
from tests.factories import make_trader, sync_traders
from tests.trading_factories import make_trade
from traders.schema import jsonio
from trading.models import EquitySnapshot, Trade, VersionResult
from trading.record.check import services as check
from trading.record.distribution import queries, services, writer
from trading.record.distribution.rules import KEYS, TABLES, TWINS, NotSpreadable
from trading.record.exclusions import services as exclusions
from trading.record.writing import services as record
from trading.record.writing import trades
from trading.schema.exclusion import RecordKey, RecordKind
from trading.schema.facts import EquityPoint

pytestmark = pytest.mark.django_db
plain = pytest.mark.skipif(is_citus(), reason="the record of this database is spread")
citus = pytest.mark.skipif(not is_citus(), reason="needs TEST_CITUS_URL, a server with Citus")
TRADER = "steady_long"


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("distribute", *arguments, stdout=out)
    return out.getvalue()


@plain
def test_without_citus_it_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="CREATE EXTENSION citus"):
        said()


@plain
def test_a_number_of_shards_that_cannot_be_is_refused() -> None:
    with pytest.raises(CommandError, match="--shards must be from 1 to 4,096, was 0"):
        said("--shards", "0")


@plain
def test_each_trigger_of_the_record_has_a_twin_or_becomes_a_constraint() -> None:
    found = queries.triggers([*TABLES, "record_exclusions", "equity_transfers"])
    rules = queries.row_rules(found)
    services._require_whole(found, rules)
    assert {rule.name for rule in rules} >= {"positions_close_can_be_read", "version_results_can_be_read"}
    assert all("new." not in rule.breaks and "old." not in rule.breaks for rule in rules)
    assert not set(TWINS) & {rule.trigger for rule in rules}


@plain
def test_a_trigger_that_is_missing_is_a_halfway_state() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER trades_version_results ON trades")
    found = queries.triggers([*TABLES, "record_exclusions", "equity_transfers"])
    with pytest.raises(NotSpreadable, match="trades_version_results.*halfway"):
        services._require_whole(found, queries.row_rules(found))


@plain
def test_a_record_that_is_divided_by_month_is_refused() -> None:
    services._require_undivided()
    call_command("equity_months", "--divide", stdout=StringIO())
    with pytest.raises(NotSpreadable, match="equity_snapshots is divided by month"):
        services._require_undivided()


@plain
def test_a_rule_as_a_constraint_refuses_what_its_trigger_refuses() -> None:
    rules = queries.row_rules(queries.triggers(list(TABLES)))
    for rule in rules:
        assert queries.breaking(rule) == []


@plain
def test_a_backup_of_a_spread_record_that_was_restored_is_spread_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dump is of plain tables, with the keys and without the triggers of those that were spread."""
    monkeypatch.setattr(queries, "spread_tables", list)
    _as_after_a_restore(but="trades_version_results")
    assert not services._is_restored()
    with pytest.raises(NotSpreadable, match="spread in part"):
        services._is_done()
    writer.drop_trigger("trades", "trades_version_results")
    assert services._is_restored()
    assert not services._is_done()
    writer.mark(8, "mei")
    assert queries.said().shards == 8


def _as_after_a_restore(*, but: str) -> None:
    for trigger in queries.triggers(list(TABLES)):
        if trigger.name != but:
            writer.drop_trigger(trigger.table, trigger.name)
    for one in queries.foreign_keys():
        writer.drop_constraint(one.table, one.name)
    for table, key in queries.primary_keys().items():
        if tuple(key.columns) != KEYS[table]:
            writer.replace_key(table, key.name, KEYS[table])
    writer.mark(4, "mei")


@citus
def test_a_record_that_is_spread_is_left_as_it_is() -> None:
    told: dict[str, Any] = jsonio.loads(said("--json"))
    assert (told["was_spread"], told["is_written"], told["shards"]) == (True, False, SHARDS)
    assert {one.name for one in queries.spread_tables()} == set(TABLES)


@citus
def test_no_trigger_is_left_on_what_is_spread() -> None:
    assert queries.triggers(list(TABLES)) == []


@citus
def test_the_sums_follow_a_trade_that_is_set_aside_and_included_again() -> None:
    sync_traders(make_trader())
    first, second = make_trade(), make_trade(close_ms=1762165900000)
    trades.record_trade(first)
    trades.record_trade(second)
    whole = VersionResult.objects.get(trader=TRADER)
    assert whole.trades == 2
    key = RecordKey(RecordKind.TRADE, first.id)
    exclusions.set_aside([key], reason="wrong", actor="mei")
    assert VersionResult.objects.get(trader=TRADER).trades == 1
    assert Trade.objects.get(trader=TRADER, pk=first.id).exclusion_id is not None
    exclusions.set_aside([key], reason="right", actor="mei", undo=True)
    again = VersionResult.objects.get(trader=TRADER)
    assert (again.trades, again.net_pnl, again.last_close_ms) == (2, whole.net_pnl, whole.last_close_ms)
    assert _findings() == []


@citus
def test_equity_far_from_the_last_point_is_suspect_until_a_trade_explains_it() -> None:
    sync_traders(make_trader())
    trade = make_trade()
    close = trade.close_ts_ms
    for ms, usd in ((close - 60_000, "1000"), (close + 60_000, "5000")):
        record.equity_points(TRADER, [EquityPoint(TRADER, ms, Decimal(usd))])
    suspect = EquitySnapshot.objects.filter(trader=TRADER, is_suspect=True)
    assert [one.ts_ms for one in suspect] == [close + 60_000]
    trades.record_trade(trade)
    # `all()`: a set that was gone through says again what it found then.
    assert not suspect.all().exists()


@citus
def test_check_record_finds_what_a_trigger_would_have_refused() -> None:
    sync_traders(make_trader())
    trade = make_trade()
    trades.record_trade(trade)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trades SET exclusion_id = 99 WHERE trader_id = %s", [TRADER])
        cursor.execute("DELETE FROM version_results WHERE trader_id = %s", [TRADER])
        cursor.execute(
            "INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd) VALUES ('no_such_trader', 1762165900000, 1)"
        )
    assert {(table, path) for table, path in _findings()} >= {
        ("trades", "exclusion_id"),
        ("equity_snapshots", "trader_id"),
    }


def _findings() -> list[tuple[str, str]]:
    return [(one.table, one.path) for part in check.check() for one in part.findings]
