"""Records of an arena arrive whole, once, and with their reason when they do not."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.factories import make_trader, save_edit, sync_traders
from tests.trading.arena_sample import (
    CLOSED,
    SERVED_MS,
    account,
    account_row,
    conversation,
    message,
    position,
    short,
    trade,
    write,
    write_all,
    write_trades,
)
from tests.trading.imports.journal_files import cycles
from tests.trading.imports.journal_files.cycles import at
from tests.trading_factories import make_entry
from traders.manager_yaml.reader import read_manager_yaml
from traders.models import TraderConfig, TraderConfigVersion
from traders.schema import jsonio
from traders.sync.services import sync
from trading.imports.arena.trades import to_source
from trading.models import ConversationMessage, DecisionJournal, EquitySnapshot, Position, Symbol, Trade
from trading.record.stored import rows
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.schema.common import Side
from trading.schema.decision import Action, ActionTaken
from trading.schema.position import Entry, PositionDetail

pytestmark = pytest.mark.django_db

ARENA = Path(__file__).resolve().parents[4] / "shared" / "data" / "alpha-arena"
TABLES = (Trade, Position, ConversationMessage, EquitySnapshot, Symbol, TraderConfig)
Import = Callable[..., dict[str, Any]]


@pytest.fixture
def rejects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rejects") / "rejects.jsonl"


@pytest.fixture
def imported(rejects: Path) -> Import:
    """Runs the command; its report has the exit code besides."""

    def run(path: Path, *options: str) -> dict[str, Any]:
        out, code = StringIO(), 0
        try:
            call_command("import_arena", str(path), "--json", "--rejects", str(rejects), *options, stdout=out)
        except SystemExit as error:
            code = int(error.code or 0)
        report: dict[str, Any] = jsonio.loads(out.getvalue())
        assert report["exit_code"] == code
        return report | {"code": code}

    return run


def counts() -> list[int]:
    return [model.objects.count() for model in TABLES]


def refused(rejects: Path) -> list[tuple[str, Any, str, str]]:
    lines = [json.loads(line) for line in rejects.read_text().splitlines()]
    return [(line["file"], line["index"], line["field"], line["message"]) for line in lines]


def test_every_kind_of_file_arrives_in_its_table(tmp_path: Path, imported: Import) -> None:
    report = imported(write_all(tmp_path))

    assert report["code"] == 0
    inserted = {name: table["inserted"] for name, table in report["tables"].items()}
    assert inserted == {
        "symbols": 3,
        "trades": 3,
        "positions": 2,
        "conversation_messages": 3,
        "equity_snapshots": 3,
    }
    assert report["traders_created"] == ["amber-7b", "basalt.2"]
    assert any("analytics.json" in note for note in report["notes"])
    standing = EquitySnapshot.objects.get(ts_ms=SERVED_MS)
    assert (standing.trader_id, standing.equity_usd, standing.source) == ("amber-7b", Decimal("9994.75"), "imported")
    assert ConversationMessage.objects.get(role="assistant").content == "Hold.\n\té"


def test_the_same_files_twice_change_nothing(tmp_path: Path, imported: Import) -> None:
    imported(write_all(tmp_path))
    before = counts()
    report = imported(tmp_path)

    assert (report["code"], counts()) == (0, before)
    assert {table["inserted"] for table in report["tables"].values()} == {0}
    assert report["tables"]["trades"]["known"] == 3
    assert report["traders_created"] == []


def test_a_dry_run_tells_all_and_writes_nothing(tmp_path: Path, imported: Import) -> None:
    before = counts()
    report = imported(write_all(tmp_path), "--dry-run")

    assert (report["dry_run"], report["tables"]["trades"]["inserted"]) == (True, 3)
    assert counts() == before


def test_a_stored_trade_gives_back_its_record_digit_for_digit(tmp_path: Path, imported: Import) -> None:
    odd = trade(
        4, trade_type="close", exit_plan={"profit_target": 1.50, "note": "x"}, entry_liquidation={"at": 1.0}, added=[1]
    )
    records = [trade(1), short(2), odd, trade(5, entry_tid=None, confidence=0.625, exit_time=CLOSED + 0.0001)]
    imported(write_trades(tmp_path, *records))

    read = jsonio.loads((tmp_path / "trades.json").read_text())["trades"]
    back = {source["id"]: source for source in (to_source(rows.trade(row)) for row in Trade.objects.all())}
    assert [back[record["id"]] for record in read] == read


def test_a_missing_trader_is_made_marked_and_never_to_be_started(tmp_path: Path, imported: Import) -> None:
    imported(write_trades(tmp_path, trade()))

    made = TraderConfig.objects.get(pk="amber-7b")
    assert made.allocation_pct == 0
    assert made.detail["auto_start"] is False
    assert "Not to be started" in made.detail["description"]
    version = TraderConfigVersion.objects.get(id="amber-7b")
    assert (version.source, version.history_change_reason) == ("import", "records of it in trades.json")


def test_a_made_trader_is_exported_and_synced_without_a_change(tmp_path: Path, imported: Import) -> None:
    sync_traders(make_trader())
    (tmp_path / "in").mkdir()
    imported(write_trades(tmp_path / "in", trade()))
    call_command("export_traders", "--dir", str(tmp_path / "out"), stdout=StringIO())
    report = sync(file=read_manager_yaml(tmp_path / "out" / "manager.yaml"), actor="cli:test")

    assert [outcome.changes for outcome in report.outcomes if outcome.changes] == []
    assert report.exit_code == 0
    assert TraderConfigVersion.objects.filter(id="amber-7b").count() == 1


def test_the_benchmark_is_no_trader(tmp_path: Path, imported: Import) -> None:
    report = imported(write_trades(tmp_path, trade(model_id="buynhold_btc")))

    assert (report["code"], counts()[0], report["tables"]["trades"]["skipped"]) == (0, 0, 1)
    assert not TraderConfig.objects.exists()


def test_a_trade_belongs_to_the_version_of_its_order_else_of_its_time(tmp_path: Path, imported: Import) -> None:
    sync_traders(make_trader("amber-7b"))
    save_edit("amber-7b", detail__risk__max_positions=5)
    taken = ActionTaken(symbol="BTC", action=Action.OPEN_LONG, order_id=5001, ok=True)
    record_decision(make_entry("amber-7b", config_version=2, actions=(taken,)))
    later = int(datetime.now(UTC).timestamp()) + 60
    imported(write_trades(tmp_path, trade(1), trade(2, exit_time=later)))

    found = {row.detail["fills"][0]["order_id"]: row.detail["versions"] for row in Trade.objects.all()}
    assert found == {5001: {"entry": 2}, 5002: {"exit": 2}}


def test_a_trade_that_closed_after_its_trader_was_retired_is_taken(tmp_path: Path, imported: Import) -> None:
    """A retired trader is drained: what it still closes happened."""
    sync_traders(make_trader("amber-7b"))
    save_edit("amber-7b", detail__retired=True, allocation_pct=Decimal(0))
    report = imported(write_trades(tmp_path, trade(1), trade(2, exit_time=int(datetime.now(UTC).timestamp()) + 60)))

    assert (report["code"], Trade.objects.count()) == (0, 2)


def test_duplicate_ids_with_other_content_conflict_and_overwrite_nothing(
    tmp_path: Path, imported: Import, rejects: Path
) -> None:
    report = imported(write_trades(tmp_path, trade(1), trade(1, realized_net_pnl=99), trade(1)))
    again = imported(write_trades(tmp_path, trade(1, realized_net_pnl=98)))

    assert (report["tables"]["trades"]["conflicts"], report["tables"]["trades"]["known"], report["code"]) == (1, 1, 3)
    assert (again["tables"]["trades"]["conflicts"], again["code"]) == (1, 1)
    assert Trade.objects.get().net_pnl == Decimal("22.25")
    assert "is recorded already with other content" in refused(rejects)[0][3]


@pytest.mark.parametrize(
    ("changed", "field", "reason"),
    [
        ({"quantity": -0.25}, "quantity", "the side is long"),
        ({"quantity": "0.25"}, "quantity", "must be a number"),
        ({"quantity": 1e30, "entry_sz": 1e30}, "quantity", "must not be beyond"),
        ({"quantity": 0}, "quantity", "above 0"),
        ({"side": "both"}, "side", "must be long or short"),
        ({"side": None}, "side", "is required"),
        ({"symbol": "NEWCOIN"}, "symbol", "--add-symbols NEWCOIN"),
        ({"symbol": "no symbol"}, "symbol", "white space"),
        ({"exit_time": 1_740_000_000.5}, "exit_time", "before the entry"),
        ({"exit_time": 1_750_003_600_456}, "exit_time", "are milliseconds"),
        ({"exit_time": "2025-06-15T16:06:40Z"}, "exit_time", "must be seconds since 1970"),
        ({"entry_time": True}, "entry_time", "must be seconds"),
        ({"model_id": "../etc"}, "model_id", "letters, digits"),
        ({"entry_price": 0}, "entry_price", "above 0"),
        ({"realized_net_pnl": None}, "realized_net_pnl", "is required"),
        ({"entry_crossed": 1}, "entry_crossed", "must be true or false"),
        ({"id": "a\0b"}, "id", "U+0000"),
        ({"more": {"a\0": "b\0"}, "note": "\0"}, "note", "U+0000"),
        ({"id": "\ud800"}, "id", "half of a surrogate pair"),
        ({"note": "\ud800"}, "note", "half of a surrogate pair"),
        ({"exit_liquidation": "\ud800"}, "exit_liquidation", "half of a surrogate pair"),
        ({"\ud800": 1}, "\ufffd\ufffd\ufffd.[key]", "half of a surrogate pair"),
    ],
)
def test_a_bad_trade_is_refused_with_field_and_reason_and_the_good_one_taken(
    tmp_path: Path, imported: Import, rejects: Path, changed: dict[str, Any], field: str, reason: str
) -> None:
    report = imported(write_trades(tmp_path, trade(1), trade(2, **changed)))

    assert (report["code"], Trade.objects.count(), report["refused"]) == (3, 1, 1)
    ((file, index, named, message_),) = refused(rejects)
    assert (file, index, named) == ("trades.json", 1, field)
    assert reason in message_


@pytest.mark.parametrize("record", [None, 5, "text", [], [trade()], {}])
def test_what_is_no_record_at_all_is_refused(tmp_path: Path, imported: Import, record: Any) -> None:
    assert imported(write_trades(tmp_path, trade(), record))["code"] == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"trades": [{"id": "a', ":1:13: the file ends inside this record"),
        (b'{"trades": [', "the file ends"),
        (b'{"trades": []', "the file ends here"),
        (b'{"trades": [\n{"id": 1},\n{"id": NaN}]}', ":3:1: NaN is not JSON"),
        (b'{"trades": [{"id": -Infinity}]}', "-Infinity is not JSON"),
        (b'{"trades": [{"id": "\xff"}]}', ":1:21: is not UTF-8"),
        ("{}".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        (b'[{"id": 1}]', "must be an object with the list 'trades'"),
        (b'{"conversations": []}', "must hold 'trades'"),
        (b'{"trades": {"id": 1} extra}', ":1:22: must be a comma"),
        (b'{"trades": 5}', "must be a list of records"),
        (b'{"trades": []} {}', "must be the end of the file"),
        (b"", "must be an object"),
        (b'{"trades": [' + b"[" * 200_000, "nested too deeply"),
    ],
    ids=range(14),
)
def test_a_broken_file_is_named_with_its_place_and_nothing_is_written(
    tmp_path: Path, imported: Import, content: bytes, said: str
) -> None:
    write_all(tmp_path)
    (tmp_path / "trades.json").write_bytes(content)
    before = counts()
    with pytest.raises(CommandError) as raised:
        imported(tmp_path)

    assert said in str(raised.value)
    assert str(tmp_path / "trades.json") in str(raised.value)
    assert counts() == before


def test_strict_writes_nothing_when_a_record_is_bad(tmp_path: Path, imported: Import, rejects: Path) -> None:
    write_trades(tmp_path, trade(1), trade(2, side="up"))
    with pytest.raises(CommandError, match=r"side must be long or short, was 'up'\nNothing was written"):
        imported(tmp_path, "--strict")

    assert (counts(), len(refused(rejects))) == ([0] * len(TABLES), 1)
    write_trades(tmp_path, trade(1))
    assert imported(tmp_path, "--strict")["code"] == 0


def test_new_symbols_are_taken_when_they_are_named(tmp_path: Path, imported: Import) -> None:
    write_trades(tmp_path, trade(symbol="NEWCOIN"))
    assert imported(tmp_path)["code"] == 1
    assert imported(tmp_path, "--add-symbols", "NEWCOIN")["code"] == 0
    assert imported(tmp_path)["code"] == 0


def test_numbers_of_any_length_are_refused_and_crash_nothing(tmp_path: Path, imported: Import) -> None:
    record = json.dumps(trade(2)).replace("22.25", "9" * 5000).replace("24.9375", "1e99999999999999999999")
    precise = json.dumps(trade(3)).replace("22.25", "0." + "0" * 20_000 + "1")
    good = json.dumps(trade(1))
    (tmp_path / "trades.json").write_text(f'{{"trades": [{record}, {precise}, {good}]}}')

    report = imported(tmp_path)
    assert (report["code"], report["refused"], Trade.objects.count()) == (3, 2, 1)


BEYOND = ("1e9999999", "-1e9999999", "1" + "0" * 4000, "1e-9999999")


def written(directory: Path, name: str, key: str, good: Any, bad: Any) -> Path:
    """A file with one good record, and one in which "BEYOND" stands for each of those numbers."""
    records = [json.dumps(good), *(json.dumps(bad).replace('"BEYOND"', number) for number in BEYOND)]
    path = directory / name
    path.write_text(f'{{"{key}": [{",".join(records)}]}}')
    return path


@pytest.mark.parametrize("field", ["quantity", "entry_time", "exit_time", "entry_price", "realized_gross_pnl"])
def test_a_trade_beyond_all_measure_is_refused_alone(tmp_path: Path, imported: Import, field: str) -> None:
    report = imported(written(tmp_path, "trades.json", "trades", trade(1), trade(2, **{field: "BEYOND"})))

    assert (report["code"], report["refused"], Trade.objects.count()) == (3, len(BEYOND), 1)


@pytest.mark.parametrize("field", ["leverage", "confidence", "entry_tid"])
def test_what_a_trade_needs_not_is_kept_whatever_its_measure(tmp_path: Path, imported: Import, field: str) -> None:
    report = imported(written(tmp_path, "trades.json", "trades", trade(1), trade(2, **{field: "BEYOND"})))

    assert report["tables"]["trades"]["refused"] == 0
    assert Trade.objects.count() >= 2


@pytest.mark.parametrize("field", ["quantity", "entry_time", "margin", "risk_usd"])
def test_a_position_beyond_all_measure_crashes_nothing(tmp_path: Path, imported: Import, field: str) -> None:
    bad = account(position(), model_id="basalt.2")
    bad["positions"]["ETH"][field] = "BEYOND"
    report = imported(written(tmp_path, "positions.json", "accountTotals", account(position()), bad))

    assert report["code"] in (0, 3)
    assert Position.objects.filter(trader="amber-7b").count() == 1


@pytest.mark.parametrize("field", ["dollar_equity", "timestamp", "realized_pnl"])
def test_equity_beyond_all_measure_is_refused_alone(tmp_path: Path, imported: Import, field: str) -> None:
    bad = account_row(1, **{field: "BEYOND"})
    report = imported(written(tmp_path, "account-totals.json", "accountTotals", account_row(0), bad))

    assert (report["code"], report["refused"], EquitySnapshot.objects.count()) == (3, len(BEYOND), 1)


def test_a_conversation_with_a_number_that_cannot_be_written_is_refused_alone(tmp_path: Path, imported: Import) -> None:
    bad = {"model_id": "amber-7b", "timestamp": 1_750_000_100, "llm_response": ["here"]}
    texts = [json.dumps(bad).replace('"here"', number) for number in ("9" * 5000, "1e99999999999999999999")]
    content = ",".join([*texts, json.dumps(conversation())])
    (tmp_path / "conversations.json").write_text(f'{{"conversations": [{content}]}}')

    report = imported(tmp_path)
    assert (report["code"], report["refused"], ConversationMessage.objects.count()) == (3, 2, 3)


@pytest.mark.parametrize("depth", [30, 300, 600, 900])
@pytest.mark.parametrize("field", ["exit_plan", "side", "extra", "entry_tid", "quantity"])
def test_deep_nesting_crashes_nothing(tmp_path: Path, imported: Import, depth: int, field: str) -> None:
    nested = "[" * depth + "]" * depth
    record = json.dumps(trade(2) | {field: "here"}).replace('"here"', nested)
    (tmp_path / "trades.json").write_text(f'{{"trades": [{record}, {json.dumps(trade(1))}]}}')

    if depth > 800:  # near to what Python's reader itself takes
        with contextlib.suppress(CommandError):
            imported(tmp_path)
        return
    report = imported(tmp_path)
    assert (report["code"], report["refused"], Trade.objects.count()) == (3, 1, 1)


def test_journal_files_beside_the_arena_are_recorded_first(tmp_path: Path, imported: Import) -> None:
    sync_traders(make_trader("steady_long"))
    decided = at(datetime.now(UTC))
    cycles.write(tmp_path, "cycle_20260108_103000_00001.json", timestamp=decided)
    cycles.write(tmp_path, "cycle_20260108_103300_00002.json", timestamp=decided, trader_id="nobody")
    report = imported(write_all(tmp_path))

    assert (report["code"], report["refused"]) == (3, 1)
    journal = report["tables"]["decision_journal"]
    assert (journal["inserted"], journal["refused"], DecisionJournal.objects.count()) == (1, 1, 1)
    assert report["tables"]["trades"]["inserted"] == 3


def test_ids_that_differ_in_letter_case_only_are_refused(tmp_path: Path, imported: Import, rejects: Path) -> None:
    imported(write_trades(tmp_path, trade(1), trade(2, "Amber-7B")))

    ((_file, _index, field, reason),) = refused(rejects)
    assert field == "model_id"
    assert "unique ignoring case" in reason


def test_a_position_that_a_recorded_trade_closed_is_stored_closed(tmp_path: Path, imported: Import) -> None:
    imported(write_all(tmp_path))

    closed = Position.objects.get(status="closed")
    assert (closed.trader_id, closed.id.startswith("basalt.2|BTC|")) == ("basalt.2", True)
    assert (closed.detail["close"]["price"], closed.detail["close"]["pnl"]) == (Decimal("100100.25"), Decimal("22.25"))
    opened = Position.objects.get(status="open")
    assert (opened.id, opened.side, opened.quantity) == ("amber-7b|ETH", "short", Decimal("1.75"))
    assert opened.detail["risk"] == {"confidence": Decimal("62.00"), "risk_usd": 120}
    assert opened.detail["orders"] == {"entry_oid": 9001}


def test_a_position_of_an_engine_is_known_where_a_file_rounds_it(tmp_path: Path, imported: Import) -> None:
    """An engine computes in binary fractions."""
    sync_traders(make_trader("amber-7b"))
    held = position(quantity=-0.3, entry_price=2500.1, entry_oid=-1)
    price, quantity = Decimal("2500.1000000000004"), Decimal("0.30000000000000004")
    noisy = Entry(price=price, quantity=quantity, time_ms=1_750_001_000_000, leverage=Decimal(15))
    open_position(trader_id="amber-7b", symbol="ETH", side=Side.SHORT, detail=PositionDetail(entry=noisy))

    report = imported(write(tmp_path, "positions.json", "accountTotals", [account(held)]))

    assert (report["code"], report["tables"]["positions"]["known"], Position.objects.count()) == (0, 1, 1)


def test_a_position_of_other_content_conflicts_and_one_whose_price_moved_is_known(
    tmp_path: Path, imported: Import
) -> None:
    def positions(**changed: Any) -> dict[str, Any]:
        write(tmp_path, "positions.json", "accountTotals", [account(position(**changed))])
        return dict(imported(tmp_path)["tables"]["positions"])

    assert positions(tp_oid=-1)["inserted"] == 1
    assert positions(tp_oid=-1, current_price=2000, unrealized_pnl=900)["known"] == 1
    assert positions(tp_oid=-1, quantity=-2)["conflicts"] == 1
    assert Position.objects.get().quantity == Decimal("1.75")


def test_what_a_position_last_cost_is_of_when_the_files_were_served(tmp_path: Path, imported: Import) -> None:
    write_trades(tmp_path, trade())
    write(tmp_path, "positions.json", "accountTotals", [account(position())])
    imported(tmp_path)

    assert Position.objects.get().detail["reported"]["at_ms"] == SERVED_MS


def test_a_marked_price_ahead_of_the_clock_is_refused(tmp_path: Path, imported: Import, rejects: Path) -> None:
    ahead = position(price_is_stale=True, price_timestamp=4_000_000_000_000)
    accounts = [account(ahead), account(position(), model_id="basalt.2")]
    report = imported(write(tmp_path, "positions.json", "accountTotals", accounts))

    assert (report["code"], Position.objects.count()) == (3, 1)
    assert [field for _file, _index, field, _message in refused(rejects)] == ["positions.ETH.price_timestamp"]


def test_a_bad_position_is_refused_alone(tmp_path: Path, imported: Import, rejects: Path) -> None:
    held = account(position(), position("BTC", quantity=-1, side="long"), position("SOL", entry_time="now"))
    write(tmp_path, "positions.json", "accountTotals", [held, {"model_id": "basalt.2"}, account(position("XRP"))])
    report = imported(tmp_path)

    assert report["tables"]["positions"] | {"skipped": 0} == {
        "inserted": 2,
        "known": 0,
        "refused": 3,
        "conflicts": 0,
        "skipped": 0,
        "redacted": 0,
        "set_aside": 0,
        "derived": 0,
    }
    assert [(index, field) for _file, index, field, _reason in refused(rejects)] == [
        (0, "positions.BTC.quantity"),
        (0, "positions.SOL.entry_time"),
        (1, "positions"),
    ]


def test_a_conversation_is_taken_whole_or_not_and_may_grow(tmp_path: Path, imported: Import, rejects: Path) -> None:
    bad = conversation(message(), message("prophet"))
    write(tmp_path, "conversations.json", "conversations", [conversation(), bad])
    imported(tmp_path)
    assert ConversationMessage.objects.count() == 3
    assert refused(rejects)[0][2] == "messages.1.role"

    grown = conversation()
    grown["messages"] += [message("user", "And now?", 1_750_000_400)]
    write(tmp_path, "conversations.json", "conversations", [grown])
    report = imported(tmp_path)
    assert (report["tables"]["conversation_messages"]["inserted"], ConversationMessage.objects.count()) == (1, 4)


def test_a_leaderboard_without_a_time_is_left_alone(tmp_path: Path, imported: Import) -> None:
    (tmp_path / "leaderboard.json").write_text('{"leaderboard": [{"id": "amber-7b", "equity": 5}]}')
    report = imported(tmp_path)

    assert "no file says of when it is" in report["notes"][0]
    assert not EquitySnapshot.objects.exists()


def test_what_is_no_arena_file_is_told(tmp_path: Path, imported: Import) -> None:
    with pytest.raises(CommandError, match="must be a directory with one of crypto-prices.json"):
        imported(tmp_path)
    with pytest.raises(CommandError, match="is not there"):
        imported(tmp_path / "nowhere")


def test_people_read_what_happened_and_the_rejects_are_made_only_when_needed(tmp_path: Path, rejects: Path) -> None:
    out = StringIO()
    call_command("import_arena", str(write_trades(tmp_path, trade())), "--rejects", str(rejects), stdout=out)
    assert "trades                             1           0           0           0" in out.getvalue()
    assert "traders created, not to be started, without capital: amber-7b" in out.getvalue()
    assert not rejects.exists()


@pytest.mark.skipif(not ARENA.is_dir(), reason="the real records are not beside this checkout")
def test_real_records_arrive_complete_to_the_last_digit(imported: Import) -> None:
    report = imported(ARENA)
    source = jsonio.loads((ARENA / "trades.json").read_text())["trades"]

    assert (report["code"], report["tables"]["trades"]["inserted"], Trade.objects.count()) == (0, 197, 197)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(net_pnl) FROM trades")
        assert cursor.fetchone() == (sum(record["realized_net_pnl"] for record in source),)
        cursor.execute("SELECT sum(trades), sum(net_pnl) FROM version_results")
        assert cursor.fetchone() == (197, sum(record["realized_net_pnl"] for record in source))
    back = {record["id"]: record for record in (to_source(rows.trade(row)) for row in Trade.objects.all())}
    for record in source:
        assert _text(back[record["id"]]) == _text(record)
    assert Position.objects.filter(status="closed").count() == 2
    assert imported(ARENA)["tables"]["trades"] | {"skipped": 0} == {
        "inserted": 0,
        "known": 197,
        "refused": 0,
        "conflicts": 0,
        "skipped": 0,
        "redacted": 0,
        "set_aside": 0,
        "derived": 0,
    }


def _text(record: dict[str, Any]) -> str:
    return jsonio.dumps(dict(sorted(record.items())))


def test_an_upper_cased_symbol_is_the_one_that_is_known(tmp_path: Path, imported: Import) -> None:
    write_trades(tmp_path, trade(symbol="kPEPE"), trade(2, symbol="KPEPE"))
    write(tmp_path, "positions.json", "accountTotals", [account(position("KPEPE"))])

    assert imported(tmp_path, "--add-symbols", "kPEPE", "BTC/USDT:USDT")["code"] == 0
    assert {row.symbol for row in Trade.objects.all()} == {row.symbol for row in Position.objects.all()} == {"kPEPE"}


def test_records_ahead_of_the_clock_are_refused_by_field(tmp_path: Path, imported: Import, rejects: Path) -> None:
    later = int(datetime.now(UTC).timestamp()) + 360
    write_trades(tmp_path, trade(), trade(2, exit_time=later))
    write(tmp_path, "positions.json", "accountTotals", [account(position(entry_time=later))])
    write(tmp_path, "conversations.json", "conversations", [conversation(message(timestamp=later))])

    assert imported(tmp_path)["code"] == 3
    found = refused(rejects)
    assert sorted(field for _file, _index, field, _message in found) == [
        *("exit_time", "messages.0.timestamp", "positions.ETH.entry_time")
    ]
    assert all("6 min ahead" in message for *_, message in found)


def test_a_conversation_in_fields_of_its_own_is_taken(tmp_path: Path, imported: Import) -> None:
    record = {
        "model_id": "amber-7b",
        "inserted_at": 1_750_000_100,
        "user_prompt": "Decide.",
        "cot_trace": {"BTC": {"signal": "hold"}},
        "llm_response": {"BTC": {"signal": "hold", "confidence": 0.7}},
        "cot_trace_summary": "Holding.",
    }
    write(tmp_path, "conversations.json", "conversations", [record])

    assert imported(tmp_path)["code"] == imported(tmp_path)["code"] == 0
    kept = ConversationMessage.objects.order_by("sequence").values_list("role", "content")
    assert [role for role, _content in kept] == ["user", "assistant", "assistant", "assistant"]
    assert [content for _role, content in kept][:2] == ["Decide.", "Holding."]


def test_rows_are_as_old_as_their_source_says(tmp_path: Path, imported: Import) -> None:
    imported(write_all(tmp_path))

    for row in Trade.objects.all():
        assert row.created_at == datetime.fromtimestamp(row.close_ts_ms / 1000, UTC)
    for held in Position.objects.all():
        assert held.created_at == datetime.fromtimestamp(held.opened_ms / 1000, UTC)
    assert Trade.objects.exists()
    assert Position.objects.exists()


def test_a_record_that_gives_a_key_twice_is_refused_alone(tmp_path: Path, imported: Import, rejects: Path) -> None:
    """The last value of the two would be taken in silence."""
    good, other = jsonio.dumps(trade(1)), jsonio.dumps(trade(2, exit_plan={"stop_loss": 1.5}))
    twice = other.replace('"quantity":', '"quantity":9,"quantity":')
    nested = other.replace('"stop_loss":', '"stop_loss":9,"stop_loss":')
    assert twice != other != nested
    (tmp_path / "trades.json").write_text(f'{{"trades":[{twice},{good},{nested}]}}')

    report = imported(tmp_path)

    assert (report["tables"]["trades"]["inserted"], report["tables"]["trades"]["refused"]) == (1, 2)
    assert refused(rejects) == [
        ("trades.json", 0, "", "holds the key 'quantity' twice"),
        ("trades.json", 2, "exit_plan", "holds the key 'stop_loss' twice"),
    ]


def test_a_record_of_every_kind_is_refused_for_a_key_twice(tmp_path: Path, imported: Import) -> None:
    write_all(tmp_path)
    write(tmp_path, "account-totals.json", "accountTotals", [account_row()])
    for field in ("price", "quantity", "role", "nav_since_inception", "equity", "dollar_equity"):
        for path in tmp_path.glob("*.json"):
            path.write_text(path.read_text().replace(f'"{field}":', f'"{field}": 0, "{field}":'))

    report = imported(tmp_path)

    assert {name: table["inserted"] for name, table in report["tables"].items() if table["inserted"]} == {}
    assert {name: table["refused"] for name, table in report["tables"].items()} == {
        "symbols": 3,
        "trades": 3,
        "positions": 2,
        "conversation_messages": 1,
        "equity_snapshots": 4,
    }


def test_a_pipe_in_the_place_of_a_file_is_refused_and_never_waited_for(tmp_path: Path, imported: Import) -> None:
    write_all(tmp_path)
    (tmp_path / "positions.json").unlink()
    os.mkfifo(tmp_path / "positions.json")
    before = counts()

    with pytest.raises(CommandError, match=r"positions\.json: is a named pipe, not a file"):
        imported(tmp_path)
    assert counts() == before
