"""generate_sample: what it stores, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from demo import services
from demo.sample.plan import MOST_ALLOCATION_PCT, RESERVE_PCT
from tests.factories import make_trader, sync_traders
from tests.trading_factories import make_entry, make_position, make_trade
from traders.fleet import services as fleet_services
from traders.models import ManagerConfigVersion, PromptText, TraderConfig, TraderConfigVersion
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import trader_spec
from traders.sync.export.services import bundle
from traders.versions import services as configs
from traders.versions.rules.errors import NothingStored
from trading.models import DecisionJournal, EquitySnapshot, Position, Trade, VersionResult
from trading.record.stored import rows
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Side

pytestmark = pytest.mark.django_db

SMALL = {"traders": 2, "days": 4, "trades": 30, "end": "2026-11-01"}


def run(command: str, **options: Any) -> str:
    out = StringIO()
    call_command(command, *[f"--{name}={value}" for name, value in options.items()], stdout=out)
    return out.getvalue()


def query(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


@pytest.fixture
def real() -> None:
    """A real trader with one record of each kind."""
    sync_traders(make_trader())
    record_trade(make_trade())
    record_decision(make_entry())
    open_position(trader_id="steady_long", symbol="ETH", side=Side.LONG, detail=make_position())


def flush_tables() -> None:
    """Empties the record and the configurations, as the tests' flush does."""
    models = [model for app in ("traders", "trading") for model in apps.get_app_config(app).get_models()]
    tables = ", ".join(sorted({model._meta.db_table for model in models}))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables}")


@pytest.fixture
def sample() -> None:
    run("generate_sample", **SMALL)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def test_the_command_says_what_it_made() -> None:
    said = run("generate_sample", **SMALL)

    assert said.startswith("Made the sample fleet: 2 traders, ")
    assert "30 trades" in said
    assert Trade.objects.count() == 30


@pytest.mark.usefixtures("sample")
def test_stored_rows_are_read_back_under_the_schema() -> None:
    assert [rows.trade(row).id for row in Trade.objects.all()]
    assert [rows.position(row).id for row in Position.objects.all()]
    assert [rows.decision(row).id for row in DecisionJournal.objects.all()]
    assert [trader_spec(row).id for row in TraderConfigVersion.objects.all()]


@pytest.mark.usefixtures("sample")
def test_a_check_of_the_sample_finds_nothing() -> None:
    # It exits with 1 where it finds something.
    run("check_record")


@pytest.mark.plain
@pytest.mark.usefixtures("sample")
def test_the_same_seed_and_end_store_the_same_rows() -> None:
    def stored() -> list[Any]:
        return [
            query("SELECT id, detail, created_at FROM trades ORDER BY id"),
            query("SELECT id, status, detail, created_at, updated_at FROM positions ORDER BY id"),
            query("SELECT trader_id, ts_ms, equity_usd FROM equity_snapshots ORDER BY 1, 2"),
            query("SELECT trader_id, cycle_number, config_version, detail FROM decision_journal ORDER BY 1, 2"),
            query("SELECT id, version, history_date, detail FROM trader_config_versions ORDER BY 1, 2"),
            query("SELECT trader_id, is_running, detail, updated_at FROM trader_runtime_state ORDER BY 1"),
        ]

    first = stored()
    flush_tables()
    run("generate_sample", **SMALL)

    assert stored() == first


@pytest.mark.usefixtures("sample")
def test_the_roll_up_is_the_sum_of_the_trades() -> None:
    summed = query(
        "SELECT trader_id, entry_version, count(*), sum(net_pnl), min(close_ts_ms), max(close_ts_ms)"
        " FROM trades GROUP BY 1, 2 ORDER BY 1, 2"
    )
    kept = VersionResult.objects.order_by("trader_id", "entry_version").values_list(
        "trader_id", "entry_version", "trades", "net_pnl", "first_close_ms", "last_close_ms"
    )
    assert list(kept) == summed


@pytest.mark.usefixtures("sample")
def test_versions_lie_in_the_past_and_what_was_changed_together_is_one_change_set() -> None:
    newest = query("SELECT max(history_date) FROM trader_config_versions")[0][0]
    assert newest.isoformat() < "2026-11-01"
    ordered = query(
        "SELECT bool_and(later) FROM (SELECT history_date >= lag(history_date) OVER (ORDER BY change_set, id) AS later"
        " FROM trader_config_versions) v WHERE later IS NOT NULL"
    )
    assert ordered == [(True,)]
    assert query("SELECT max(n) FROM (SELECT count(*) AS n FROM trader_config_versions GROUP BY change_set) s") == [
        (2,)
    ]


# Where the record is spread a key holds it, and the statement below would look on every server for every message.
@pytest.mark.plain
@pytest.mark.usefixtures("sample")
def test_messages_belong_to_decisions_of_their_trader() -> None:
    assert query(
        "SELECT count(*) > 0, bool_and(m.trader_id = d.trader_id)"
        " FROM conversation_messages m JOIN decision_journal d ON d.id = m.decision_id"
    ) == [(True, True)]


def test_a_load_into_a_record_that_is_spread_leaves_the_statistics_to_the_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Citus refuses ANALYZE in a transaction that looked at a shard of its own server."""
    monkeypatch.setattr("demo.writer.is_spread", lambda: True)
    with CaptureQueriesContext(connection) as asked:
        run("generate_sample", **SMALL)
    assert Trade.objects.count() == 30
    assert [one["sql"] for one in asked if one["sql"].startswith("ANALYZE")] == []


@pytest.mark.usefixtures("sample")
def test_a_second_fleet_of_the_same_names_is_refused() -> None:
    with pytest.raises(CommandError, match="holds momentum_btc, reversion_eth already.*make demo-fresh"):
        run("generate_sample", **SMALL)
    assert Trade.objects.count() == 30


def test_a_trader_of_such_a_name_is_left_alone() -> None:
    sync_traders(make_trader("Momentum_BTC"))
    with pytest.raises(CommandError, match="holds Momentum_BTC already"):
        run("generate_sample", **SMALL)


@pytest.mark.usefixtures("real")
def test_beside_other_traders_the_fleet_takes_what_capital_is_free() -> None:
    free = fleet_services.overview().allocation.free_pct
    run("generate_sample", **SMALL)

    assert fleet_services.overview().allocation.free_pct == free - 2 * min(MOST_ALLOCATION_PCT, free / 2)
    assert configs.existing(FLEET_ID).version == 1


def test_without_free_capital_nothing_is_made() -> None:
    sync_traders(make_trader(allocation_pct=Decimal(90)))
    with pytest.raises(CommandError, match="2 traders do not fit into the 0.* % of the equity"):
        run("generate_sample", **SMALL)


def test_a_failure_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise ValueError("no more")

    monkeypatch.setattr("demo.configs.write", fail)
    with pytest.raises(CommandError, match="no more"):
        run("generate_sample", **SMALL)

    assert Trade.objects.count() == EquitySnapshot.objects.count() == 0


@pytest.mark.parametrize("wrong", [{"traders": 0}, {"days": 0}, {"trades": 10**7}])
def test_what_cannot_be_made_is_refused_in_words(wrong: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="must be|do not fit"):
        run("generate_sample", **{**SMALL, **wrong})


START = datetime(2026, 10, 28, tzinfo=UTC)


@pytest.mark.usefixtures("sample")
def test_the_fleet_stands_as_of_any_day_since_the_first() -> None:
    second_day = START + timedelta(days=1)
    assert ManagerConfigVersion.objects.get().history_date == START
    assert {one.config_id for one in configs.at(second_day).values()} == {"momentum_btc", "reversion_eth"}

    found = bundle(at=second_day)
    assert found.fleet.detail.manager.reserve_equity_pct == RESERVE_PCT
    assert [trader.id for trader in found.traders] == ["momentum_btc", "reversion_eth"]
    assert all(trader.detail.prompts.system_sha256 in found.prompts for trader in found.traders)
    with pytest.raises(NothingStored):
        bundle(at=START - timedelta(seconds=1))


@pytest.mark.usefixtures("sample")
def test_a_prompt_is_known_since_the_first_version_that_names_it() -> None:
    for text in PromptText.objects.all():
        naming = TraderConfigVersion.objects.filter(
            Q(detail__prompts__system_sha256=text.pk) | Q(detail__prompts__executor_sha256=text.pk)
        )
        assert text.first_seen_at == naming.earliest("history_date").history_date
    assert PromptText.objects.filter(first_seen_at=START).count() == 3


@pytest.mark.usefixtures("sample")
def test_every_trader_has_its_share_and_begins_with_it() -> None:
    equity = configs.existing(FLEET_ID).flat["detail.manager.total_equity_usd"]
    shares = set(TraderConfig.objects.values_list("allocation_pct", flat=True))
    assert shares == {MOST_ALLOCATION_PCT}
    first = EquitySnapshot.objects.filter(ts_ms=round(START.timestamp() * 1000))
    assert {row.equity_usd for row in first} == {equity * MOST_ALLOCATION_PCT / 100}


@pytest.mark.usefixtures("sample")
def test_nothing_in_the_fleet_calls_itself_sample() -> None:
    for table, columns in {
        "trader_config": "id, detail::text, created_by",
        "trader_config_versions": "source, history_user_id, history_change_reason",
        "prompt_texts": "path, body",
        "equity_snapshots": "source",
    }.items():
        assert [row for row in query(f"SELECT {columns} FROM {table}") if "sample" in " ".join(row).lower()] == []


def test_history_leads_to_the_accounts_of_the_site() -> None:
    services.hire(START)
    run("generate_sample", **SMALL)
    ids = dict(User.objects.values_list("username", "pk"))
    made = TraderConfigVersion.objects.values_list("history_user_id", "account_id").distinct()
    assert all(account == ids.get(name) for name, account in made)
    assert set(services.PEOPLE) == ids.keys()
    assert not any(user.has_usable_password() for user in User.objects.all())


@pytest.mark.slow
def test_the_demo_is_prepared_once(tmp_path: Path, settings: Any) -> None:
    settings.MANAGER_YAML = tmp_path / "etc" / "manager.yaml"
    assert "Declared it in" in run("prepare_demo")
    before = query("SELECT id, version, updated_at FROM trader_config ORDER BY 1")
    assert run("prepare_demo") == ""
    assert len(before) == 8

    out = StringIO()
    call_command("sync_traders", str(settings.MANAGER_YAML), stdout=out)
    assert query("SELECT id, version, updated_at FROM trader_config ORDER BY 1") == before
    assert "warning" not in out.getvalue().lower()
