"""generate_sample and remove_sample, and what the database lets nobody do."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from nof0site.serving.prepare import generate_sample_once
from tests.factories import make_trader, sync_traders
from tests.trading_factories import make_entry, make_position, make_trade
from traders.models import TraderConfig, TraderConfigVersion
from traders.repositories.rows import trader_spec
from trading.models import DecisionJournal, EquitySnapshot, Position, Trade, VersionResult
from trading.repositories import rows
from trading.repositories.decisions import record_decision
from trading.repositories.positions import open_position
from trading.repositories.sample_removal import CONFIGS, RECORDS
from trading.repositories.trades import record_trade
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


def rows_of(table: str) -> int:
    return int(query(f"SELECT count(*) FROM {table}")[0][0])


@pytest.fixture
def real() -> None:
    """A real trader with one record of each kind."""
    sync_traders(make_trader())
    record_trade(make_trade())
    record_decision(make_entry())
    open_position(trader_id="steady_long", symbol="ETH", side=Side.LONG, detail=make_position())


@pytest.fixture
def sample() -> None:
    run("generate_sample", **SMALL)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def test_the_command_says_what_it_made() -> None:
    said = run("generate_sample", **SMALL)

    assert said.startswith("Made the sample: 2 traders, ")
    assert "30 trades" in said
    assert Trade.objects.count() == 30


@pytest.mark.usefixtures("sample")
def test_stored_rows_are_read_back_under_the_schema() -> None:
    assert [rows.trade(row).id for row in Trade.objects.all()]
    assert [rows.position(row).id for row in Position.objects.all()]
    assert [rows.decision(row).id for row in DecisionJournal.objects.all()]
    assert [trader_spec(row).id for row in TraderConfigVersion.objects.all()]


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
    run("remove_sample")
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


@pytest.mark.usefixtures("sample")
def test_messages_belong_to_decisions_of_their_trader() -> None:
    assert query(
        "SELECT count(*) > 0, bool_and(m.trader_id = d.trader_id)"
        " FROM conversation_messages m JOIN decision_journal d ON d.id = m.decision_id"
    ) == [(True, True)]


@pytest.mark.usefixtures("sample")
def test_a_second_sample_is_refused() -> None:
    with pytest.raises(CommandError, match="a sample of 2 traders already.*remove_sample"):
        run("generate_sample", **SMALL)


def test_a_failure_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise ValueError("no more")

    monkeypatch.setattr("trading.repositories.sample_configs.write", fail)
    with pytest.raises(CommandError, match="no more"):
        run("generate_sample", **SMALL)

    assert Trade.objects.count() == EquitySnapshot.objects.count() == 0


@pytest.mark.parametrize("wrong", [{"traders": 0}, {"days": 0}, {"trades": 10**7}])
def test_what_cannot_be_made_is_refused_in_words(wrong: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="must be|do not fit"):
        run("generate_sample", **{**SMALL, **wrong})


@pytest.mark.usefixtures("real", "sample")
def test_removal_takes_every_row_of_the_sample_and_nothing_else() -> None:
    said = run("remove_sample")

    assert "2 traders" in said
    assert "30 trades" in said
    assert [name for (name,) in query("SELECT id FROM trader_config")] == ["steady_long"]
    assert (rows_of("trades"), rows_of("positions"), rows_of("decision_journal")) == (1, 1, 1)
    assert (rows_of("version_results"), rows_of("trader_runtime_state")) == (1, 1)
    assert rows_of("trader_config_versions") == 1
    for table in ("equity_snapshots", "conversation_messages", "trader_symbol_cooldowns"):
        assert rows_of(table) == 0
    assert query("SELECT count(*) FROM prompt_texts WHERE path LIKE 'prompts/sample/%'") == [(0,)]
    assert query("SELECT count(*) > 0 FROM prompt_texts") == [(True,)]


@pytest.mark.usefixtures("real")
def test_removal_without_a_sample_says_so() -> None:
    assert run("remove_sample") == "There is no sample.\n"
    assert TraderConfig.objects.count() == 1


@pytest.mark.usefixtures("sample")
def test_a_sample_that_was_synced_from_a_file_goes_as_well() -> None:
    spec = trader_spec(TraderConfig.objects.first())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO yaml_base (trader_id, declared, declared_digest, file_sha256) VALUES (%s, '{}', '', %s)",
            [spec.id, "0" * 64],
        )

    assert "1 synced declarations" in run("remove_sample")


@pytest.mark.usefixtures("real", "sample")
@pytest.mark.parametrize("table", ["trades", "positions", "decision_journal", "conversation_messages"])
def test_rows_of_a_sample_cannot_be_deleted_by_the_way(table: str) -> None:
    with pytest.raises(IntegrityError, match="refused"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE trader_id LIKE 'sample_%%'")


@pytest.mark.usefixtures("real", "sample")
@pytest.mark.parametrize(
    ("table", "column"), [("trades", "trader_id"), ("positions", "trader_id"), ("trader_config_versions", "id")]
)
def test_rows_of_a_real_trader_are_refused_even_while_a_sample_is_removed(table: str, column: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL nof0.removing_sample = 'yes'")
        with pytest.raises(IntegrityError, match="steady_long is no sample"), transaction.atomic():
            cursor.execute(f"DELETE FROM {table} WHERE {column} = 'steady_long'")


@pytest.mark.usefixtures("real")
def test_nobody_can_declare_a_real_trader_a_sample() -> None:
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE trader_config SET created_by = 'sample'")


def test_removal_knows_every_table_that_refers_to_traders() -> None:
    referring = query(
        "SELECT DISTINCT conrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f' AND confrelid IN ('trader_config'::regclass, 'trader_config_versions'::regclass)"
    )

    assert {table for (table,) in referring} <= RECORDS.keys() | CONFIGS.keys()


@pytest.mark.usefixtures("sample")
def test_a_demo_that_has_its_sample_gets_no_second_one() -> None:
    generate_sample_once(out := StringIO())

    assert out.getvalue() == ""


@pytest.mark.usefixtures("real")
def test_a_demo_whose_sample_was_removed_is_left_alone() -> None:
    generate_sample_once(out := StringIO())

    assert out.getvalue() == ""
