"""Databases as they are found: rows, columns and settings that no migration of the earlier engine made."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.factories import make_trader, sync_traders
from tests.trading.imports.adopt.conftest import Adopt
from tests.trading.imports.adopt.earlier import (
    DAY,
    DAY_MS,
    HOUR_MS,
    READER,
    EarlierDatabase,
    add_conversation,
    closed,
    cycle,
    equity,
    fill,
    position,
    trade,
)
from tests.trading.imports.adopt.test_prices import tick
from tests.trading_factories import make_position
from trading.models import DecisionJournal, MoveIn, Position, PriceHistory, Trade
from trading.record.stored import rows
from trading.record.writing import positions
from trading.schema.common import Side

pytestmark = pytest.mark.django_db

PRICE = Decimal("45500.3")


def refused(rejects: Path) -> list[tuple[str, str]]:
    """(table, field) of each."""
    lines = [json.loads(line) for line in rejects.read_text().splitlines()]
    return sorted((line["file"], line["field"]) for line in lines)


def test_a_moment_without_end_refuses_its_own_row_alone(legacy: EarlierDatabase, adopt: Adopt, rejects: Path) -> None:
    fill(legacy)
    legacy.add("models", {"id": "other", "display_name": "Other", "created_at": "-infinity"})
    legacy.add("trades", trade(6, created_at="infinity", model_id="other"))
    legacy.add("positions", closed(6, id="steady_long|XRP", symbol="XRP", updated_at="infinity"))
    legacy.add("decision_cycles", cycle(6, executed_at="infinity"), cycle(7, executed_at="0044-03-15 12:00+00 BC"))
    report = adopt(legacy)

    assert refused(rejects) == [
        ("decision_cycles", "executed_at"),
        ("decision_cycles", "executed_at"),
        ("positions", "updated_at"),
    ]
    origin = rows.trade(Trade.objects.get(trader_id="other")).detail.origin
    assert origin is not None
    assert origin.fields == {"created_at": "infinity"}
    assert report["tables"]["trades"]["inserted"] == 3
    assert adopt(legacy, "--inspect")["tables"]["decision_cycles"]["rows"] == 4
    assert adopt(legacy, "--verify")["exit_code"] == 0


def test_columns_of_any_type_are_kept_and_refused_rows_are_whole(
    legacy: EarlierDatabase, adopt: Adopt, rejects: Path
) -> None:
    added = {
        "note_day": ("date", "2025-11-03"),
        "note_id": ("uuid", "6f1c1f0a-0000-4000-8000-000000000001"),
        "note_bytes": ("bytea", "\\xdead"),
        "note_span": ("interval", "01:30:00"),
        "note_address": ("inet", "10.0.0.1"),
        "note_local": ("timestamp", "2025-11-03 10:30:00"),
        "note_range": ("int4range", "[1,5)"),
        'note\'s "name"': ("text", "it's"),
    }
    for name, (kind, _value) in added.items():
        quoted = '"' + name.replace('"', '""') + '"'
        legacy.run(f"ALTER TABLE trades ADD COLUMN {quoted} {kind}")
    legacy.run("ALTER TABLE trades ADD COLUMN note_seen timestamptz[]")
    values = {name: value for name, (_kind, value) in added.items()}
    legacy.add("trades", trade(0, **values), trade(1, side="flat", **values))
    legacy.run("UPDATE trades SET note_seen = ARRAY[%s::timestamptz]", DAY)
    report = adopt(legacy)

    assert report["exit_code"] == 3
    origin = rows.trade(Trade.objects.get()).detail.origin
    assert origin is not None
    assert origin.fields == values | {"note_seen": f'["{DAY.isoformat()}"]'}
    record = json.loads(rejects.read_text())["record"]
    assert {name: record[name] for name in added} == values
    assert record["note_seen"] == [DAY.isoformat()]


def test_the_settings_of_the_other_database_change_no_value(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    add_conversation(legacy, 1, metadata={"model": "Modèle-é", "prompt_tokens": 5})
    name = legacy.value("SELECT current_database()")
    for setting in ("datestyle = 'German'", "client_encoding = 'LATIN1'", "extra_float_digits = 0"):
        legacy.run(f'ALTER DATABASE "{name}" SET {setting}')
    report = adopt(legacy)

    assert report["exit_code"] == 0
    assert Trade.objects.get(symbol="BTC").created_at == DAY + timedelta(hours=1, seconds=1)
    assert rows.trade(Trade.objects.get(symbol="BTC")).detail.prices.avg_entry == Decimal("45000.1")
    answer = rows.decision(DecisionJournal.objects.order_by("decided_at")[1]).entry.detail.answer
    assert answer is not None
    assert answer.model == "Modèle-é"


def test_rows_that_a_policy_hides_are_not_left_out_in_silence(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    legacy.run("ALTER TABLE trades ENABLE ROW LEVEL SECURITY")
    legacy.run(f"CREATE POLICY partly ON trades FOR SELECT TO {READER} USING (symbol = 'BTC')")

    with pytest.raises(CommandError, match="row-level security policy"):
        adopt(legacy)
    assert Trade.objects.count() == 0


@pytest.mark.parametrize("table", ["conversation_messages", "conversations"])
def test_a_database_without_conversations_gives_the_rest(legacy: EarlierDatabase, adopt: Adopt, table: str) -> None:
    fill(legacy)
    legacy.run(f"DROP TABLE {table} CASCADE")
    report = adopt(legacy)

    assert report["tables"]["decision_journal"]["inserted"] == 2
    assert report["tables"]["trades"]["inserted"] == 2
    assert adopt(legacy, "--verify")["exit_code"] == 0


def test_two_traders_whose_ids_differ_in_letters_alone_are_not_one(
    legacy: EarlierDatabase, adopt: Adopt, rejects: Path
) -> None:
    fill(legacy)
    there = {"model_id": "STEADY_long"}
    legacy.add("trades", trade(8, **there))
    legacy.add("positions", position(9, **there))
    legacy.add("account_equity_snapshots", equity(2, **there))
    legacy.add("decision_cycles", cycle(20, **there))
    add_conversation(legacy, 30, trader="STEADY_long")
    sync_traders(make_trader("steady_long"))
    seen = adopt(legacy, "--inspect")
    report = adopt(legacy)

    assert (seen["traders"], seen["traders_to_map"]) == ({"steady_long": "steady_long"}, ["STEADY_long"])
    assert any("STEADY_long" in step for step in seen["steps"])
    assert report["exit_code"] == 3
    assert {table for table, _field in refused(rejects)} == {
        *("trades", "positions", "account_equity_snapshots", "decision_cycles", "conversation_messages")
    }
    found = adopt(legacy, "--verify")
    assert found["exit_code"] == 0
    assert {one["what"] for one in found["comparisons"] if one["trader"] == "STEADY_long"} == {
        *("trades", "positions open", "equity", "decisions", "messages")
    }


def test_ids_of_no_trader_are_named_before_their_rows_are_refused(legacy: EarlierDatabase, adopt: Adopt) -> None:
    legacy.add("trades", trade(0, model_id="no trader"), trade(1, model_id="buynhold_btc"), trade(2))

    seen = adopt(legacy, "--inspect")
    assert (seen["traders"], seen["traders_to_map"]) == ({"steady_long": None}, ["no trader"])
    mapped = adopt(legacy, "--inspect", "--map", "no trader=one")
    assert (mapped["traders"], mapped["traders_to_map"]) == ({"no trader": None, "steady_long": None}, [])
    assert adopt(legacy, "--map", "no trader=one")["traders_created"] == ["one", "steady_long"]


@pytest.mark.parametrize("how", ["--inspect", "--dry-run", "--verify"])
@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["stedy_long=calm"], "the other database has no trader stedy_long"),
        (["steady_long=other"], "has a trader other too, and two would become one"),
        (["steady_long=other", "other=OTHER", "steady_long=x"], "may stand once"),
    ],
)
def test_a_map_that_names_no_trader_or_joins_two_is_refused(
    legacy: EarlierDatabase, adopt: Adopt, how: str, given: list[str], says: str
) -> None:
    legacy.add("trades", trade(0), trade(1, model_id="other"))

    with pytest.raises(CommandError, match=says):
        adopt(legacy, how, "--map", *given)


def test_ids_may_be_exchanged(legacy: EarlierDatabase, adopt: Adopt) -> None:
    legacy.add("trades", trade(0), trade(1, model_id="other"))
    adopt(legacy, "--map", "steady_long=other", "other=steady_long")

    assert dict(Trade.objects.values_list("close_ts_ms", "trader_id")) == {
        DAY_MS + HOUR_MS: "other",
        DAY_MS + 2 * HOUR_MS: "steady_long",
    }


def test_only_versions_needs_a_database_with_versions(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)

    with pytest.raises(CommandError, match="keeps no versions of traders"):
        adopt(legacy, "--only-versions")
    for how in ("--inspect", "--verify"):
        with pytest.raises(CommandError, match="goes with a move"):
            adopt(legacy, how, "--only-versions")
    assert MoveIn.objects.count() == 0


def test_rejects_that_cannot_be_written_are_said_before_anything_is(legacy: EarlierDatabase, tmp_path: Path) -> None:
    legacy.add("trades", trade(0), trade(1, side="flat"))

    for path in (tmp_path, tmp_path / "none" / "rejects"):
        with pytest.raises(CommandError, match="directory"):
            call_command("adopt", "--from", legacy.dsn, rejects=path)
    assert (Trade.objects.count(), MoveIn.objects.count()) == (0, 0)


def test_what_is_left_behind_has_a_reason_of_its_own(legacy: EarlierDatabase, adopt: Adopt) -> None:
    fill(legacy)
    legacy.run("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
    legacy.run("INSERT INTO schema_migrations VALUES (4, false)")
    legacy.run("CREATE TABLE notes (said text)")
    legacy.run("INSERT INTO notes VALUES ('mine')")
    legacy.run("ALTER TABLE models ADD COLUMN mine text DEFAULT 'x'")
    left = {(one["table"], one["column"]): one["reason"] for one in adopt(legacy)["left_behind"]}

    assert left["schema_migrations", "version"] == "the other program's list of its own migrations"
    assert left["notes", "said"].startswith("no table of the earlier program")
    assert left["models", "mine"].startswith("no column of the earlier program")


def test_a_position_closed_here_and_opened_anew_is_known_while_it_is_open_there(
    legacy: EarlierDatabase, adopt: Adopt
) -> None:
    legacy.add("positions", position(0))
    adopt(legacy)
    closed_ns = (DAY_MS + HOUR_MS) * 1_000_000
    positions.close_position(trader_id="steady_long", symbol="BTC", price=PRICE, closed_at_ns=closed_ns)
    known = adopt(legacy)
    positions.open_position(
        trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=make_position(opened_ms=DAY_MS + 2 * HOUR_MS)
    )
    again = adopt(legacy)

    for report in (known, again):
        assert (report["exit_code"], report["tables"]["positions"]["known"]) == (0, 1)
    assert sorted(Position.objects.values_list("status", "opened_ms")) == [
        ("closed", DAY_MS),
        ("open", DAY_MS + 2 * HOUR_MS),
    ]
    assert adopt(legacy, "--verify")["exit_code"] == 0


def test_prices_that_no_table_can_hold_are_refused_alone(legacy: EarlierDatabase, adopt: Adopt, rejects: Path) -> None:
    legacy.add("price_ticks", tick(0), tick(2, provider="x" * 5000), tick(3, raw={"interval": "y" * 5000}))
    legacy.run(
        "INSERT INTO price_ticks (provider, symbol, price, ts_ms, raw) VALUES ('x', 'BTC', 1, %s,"
        """ '{"interval": "1h", "open": 1e400}')""",
        DAY_MS,
    )
    report = adopt(legacy)

    assert refused(rejects) == [("price_ticks", "interval"), ("price_ticks", "open"), ("price_ticks", "provider")]
    assert report["tables"]["price_history"]["inserted"] == 1
    assert PriceHistory.objects.count() == 1


def test_partitions_are_read_as_the_table_that_they_divide(legacy: EarlierDatabase, adopt: Adopt) -> None:
    legacy.run("CREATE TABLE divided (LIKE price_ticks INCLUDING DEFAULTS) PARTITION BY RANGE (ts_ms)")
    legacy.run("DROP TABLE price_ticks CASCADE; ALTER TABLE divided RENAME TO price_ticks")
    legacy.run("CREATE TABLE price_ticks_old PARTITION OF price_ticks DEFAULT")
    legacy.add("price_ticks", tick(0) | {"id": 1}, tick(1) | {"id": 2})
    legacy.forbid("price_ticks_old")
    report = adopt(legacy)

    assert report["tables"]["price_history"]["inserted"] == 2
    assert {one["table"] for one in report["left_behind"]} == {"price_ticks"}


def test_an_empty_database_and_our_own_are_named(legacy: EarlierDatabase) -> None:
    legacy.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    with pytest.raises(CommandError, match="is empty, or its user has no USAGE"):
        call_command("adopt", "--from", legacy.dsn)

    asked = connection.get_connection_params()
    own = {name: str(asked[name]) for name in ("host", "port", "user", "password", "dbname") if asked.get(name)}
    with pytest.raises(CommandError, match=r"is one of NOF0 Control itself: only those"):
        call_command("adopt", "--from", " ".join(f"{name}='{value}'" for name, value in own.items()))
