"""A scratch database with rows in every table of ours, written by the services themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, connections

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.database.scratch import ScratchDatabase
from tests.trading_factories import HOUR_MS, OPENED_MS, make_entry, make_position, make_trade
from traders.accounts.factors import writer as factors
from traders.accounts.preferences import writer as preferences
from traders.controls import services as controls
from traders.models import AccountSession, FormDraft
from traders.runtime import writer as runtime
from traders.runtime.cooldowns import writer as cooldowns
from traders.schema.controls.rows import AckResult, ControlKind
from traders.schema.messages import _
from traders.schema.tokens import Scope
from traders.tokens import services as tokens
from trading.alarms.rules.catalogue import AlarmName
from trading.alarms.services import raise_alarm
from trading.models import (
    AlarmChannel,
    AlarmRuleChange,
    ExchangeDifference,
    GuardPeak,
    ManagerCycle,
    ManagerOrder,
    MoveIn,
    PriceHistory,
    SavedFilter,
)
from trading.record.exclusions import services as exclusions
from trading.record.stored import symbols
from trading.record.stored.copying import bulk_load
from trading.record.transfers import writer as transfers
from trading.record.writing import positions, trades
from trading.record.writing.decisions import record_decision
from trading.record.writing.equity import copy_equity
from trading.schema.common import Side
from trading.schema.exclusion import RecordKey, RecordKind
from trading.schema.facts import EquityPoint, Transfer, TransferKind
from trading.schema.message import DecisionMessage, MessageRole

# Rows of ours, but for what Django's own apps keep.
TABLES = (
    *("trader_config", "trader_config_versions", "manager_config", "manager_config_versions", "prompt_texts"),
    *("trader_runtime_state", "trader_symbol_cooldowns", "yaml_base", "config_change_set_paths", "api_tokens"),
    *("clock_refusals", "audit_entries", "form_drafts", "account_sessions", "second_factors"),
    "account_preferences",
    *("config_writes", "config_write_versions"),
    "setting_risks",
    *(
        "symbols",
        "provider_symbols",
        "positions",
        "trades",
        "version_results",
        "decision_journal",
        "conversation_messages",
    ),
    *("equity_snapshots", "equity_transfers", "record_exclusions"),
    *("alarms", "alarm_deliveries", "alarm_channels", "alarm_rules"),
    *("trader_controls", "trader_control_acks", "guard_peaks", "manager_cycles", "manager_orders"),
    *("exchange_differences", "saved_filters", "move_ins", "price_history"),
)


@contextmanager
def as_default(scratch: ScratchDatabase) -> Iterator[None]:
    """What speaks to the site's database speaks to this one."""
    connection.close()
    name, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], scratch.name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name


def fill(scratch: ScratchDatabase) -> None:
    """Two traders with three versions, and a row at least of everything else."""
    with as_default(scratch):
        sync_traders(make_trader("a"), make_trader("b", detail__display_name="B"))
        save_edit("a", detail__risk__max_positions=2)
        runtime.report("a", version=2, is_running=True, detail={})
        cooldowns.extend("a", "BTC", datetime(2030, 1, 1, tzinfo=UTC), {})
        issued, _text = tokens.create(name="engine-1", scopes=[Scope.READ_CONFIG], actor="ann")
        ann = User.objects.create(username="ann")
        FormDraft.objects.create(account=ann, page="/admin/")
        preferences.keep(ann, zone="Asia/Shanghai")
        factors.add(ann, b"a secret of an app", 0)
        AccountSession.objects.create(session_key="ann", user=ann, expire_date=datetime(2030, 1, 1, tzinfo=UTC))
        tokens.note_refused(issued.id, trader_id="a", what="trade", symbol="BTC", ahead_ms=360_000)
        symbols.add(["BTC", "ETH"])
        symbols.learn("hyperliquid", ["BTC"])
        for n in range(4):
            opened = OPENED_MS + n * HOUR_MS
            trade = make_trade("a", open_ms=opened, net=Decimal(n - 1), entry_version=1 + n % 2)
            trades.record_trade(trade)
        # Set aside and included again: the trade counts, and the entries are there.
        aside = RecordKey(RecordKind.TRADE, trade.id)
        exclusions.set_aside([aside], reason="a test", actor="mei")
        exclusions.set_aside([aside], reason="a test", actor="mei", undo=True)
        positions.open_position(trader_id="a", symbol="ETH", side=Side.SHORT, detail=make_position())
        record_decision(make_entry("a"), [DecisionMessage(role=MessageRole.USER, content="What now?")])
        with bulk_load(name="equity"):
            copy_equity([EquityPoint("a", OPENED_MS, Decimal("10000.5"))])
        start = Transfer("start", "a", OPENED_MS, Decimal(10_000), TransferKind.INITIAL, "the first capital", "mei")
        transfers.add([start])
        MoveIn.objects.create(
            actor="mei", source="nof0", generation="legacy", refused=0, report={"tables": {}}, rejects=[]
        )
        PriceHistory.objects.create(
            provider="hyperliquid",
            symbol="BTC",
            interval="",
            day=date(2025, 11, 3),
            moments_ms=[OPENED_MS],
            prices=[45000.1],
            volumes=[None],
            opens=[None],
            highs=[None],
            lows=[None],
        )
        SavedFilter.objects.create(user=ann, page="trade", name="losers", query="outcome=loss")
        AlarmChannel.objects.create(name="office", kind="email", address="office@example.org")
        AlarmRuleChange.objects.create(rule=AlarmName.BUDGET, severity="page")
        raise_alarm(AlarmName.BUDGET, _("the budget is used up"), traders=["a"])
        [stopped] = controls.control(ControlKind.STOP, ["b"], controls.Asked(reason="a test", actor="mei"))
        controls.acknowledge(
            trader_id="b",
            control_id=stopped.control.id,
            result=AckResult.DONE,
            note="",
            at=datetime(2026, 1, 1, tzinfo=UTC),
            actor="token:engine-1",
        )
        hundred = Decimal(100)
        GuardPeak.objects.create(
            trader_id="a",
            since_ms=OPENED_MS,
            upto_ms=OPENED_MS,
            equity_usd=hundred,
            index=hundred,
            peak=hundred,
            peak_ms=OPENED_MS,
            before_pct=Decimal(0),
        )
        ExchangeDifference.objects.create(
            trader_id="a", kind="only_there", subject="BTC long", detail={}, reported_by="token:engine-1"
        )
        opened_at = datetime.fromtimestamp(OPENED_MS / 1000, UTC)
        ManagerCycle.objects.create(
            trader_id="a", number=1, config_version=1, state="done", opened_at=opened_at, detail={}
        )
        ManagerOrder.objects.create(
            trader_id="a",
            client_order_id="0" * 32,
            cycle=1,
            symbol="ETH",
            action="stop",
            kind="stop",
            side="long",
            style="market_ioc",
            quantity=Decimal(1),
            leverage=Decimal(1),
            slippage_bps=Decimal(50),
            trigger_price=Decimal(90),
            state="resting",
            sent_at=opened_at,
        )


def query(scratch: ScratchDatabase, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    with connections[scratch.alias].cursor() as cursor:
        cursor.execute(sql, parameters)
        if cursor.description:
            found = cursor.fetchall()
    connections[scratch.alias].close()
    return found


def present(scratch: ScratchDatabase) -> list[str]:
    existing = {name for (name,) in query(scratch, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    return [table for table in TABLES if table in existing]


def fingerprint(scratch: ScratchDatabase, table: str) -> tuple[int, str]:
    """(rows, a hash of all their columns)."""
    [row] = query(
        scratch,
        f"SELECT count(*), md5(coalesce(string_agg(to_jsonb(t)::text, E'\\n' ORDER BY to_jsonb(t)::text), ''))"
        f" FROM {table} t",
    )
    return row[0], row[1]


def results_are_sums(scratch: ScratchDatabase) -> bool:
    """Whether the roll-up says what the trades say."""
    ours = "SELECT trader_id, entry_version, trades, wins, losses, net_pnl, last_close_ms FROM version_results"
    sums = (
        "SELECT trader_id, coalesce(entry_version, 0), count(*), count(*) FILTER (WHERE net_pnl > 0),"
        " count(*) FILTER (WHERE net_pnl < 0), sum(net_pnl), max(close_ts_ms) FROM trades GROUP BY 1, 2"
    )
    return sorted(query(scratch, ours)) == sorted(query(scratch, sums))
