"""Cycle files end up in the decision journal once, in order, under the version that decided."""

from __future__ import annotations

import json
import os
import socket
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.at_once import at_once
from tests.factories import make_trader, save_edit, sync_traders
from tests.trading.imports.journal_files.cycles import at, cycle, write, write_many
from tests.trading_factories import make_entry
from traders.versions import services as configs
from trading.imports.journal_service import READINGS, import_journal
from trading.management import progress
from trading.models import DecisionJournal
from trading.record.stored import symbols
from trading.record.writing import decisions

pytestmark = pytest.mark.django_db
TRADER = "steady_long"


@pytest.fixture(autouse=True)
def _fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync_traders(make_trader(), make_trader("other", allocation_pct=10))
    (tmp_path / "journal").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def run(directory: Path, *options: str) -> tuple[int, Any]:
    """Exit code and the report as JSON."""
    out = StringIO()
    try:
        call_command("import_journal", str(directory), "--json", *options, stdout=out)
    except CommandError:
        return 1, json.loads(out.getvalue())
    except SystemExit as stop:
        return int(stop.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def changed_at(version: int) -> datetime:
    return configs.version(TRADER, version).changed_at


def recorded() -> list[tuple[str, int, int | None]]:
    rows = DecisionJournal.objects.order_by("id").values_list("trader_id", "cycle_number", "config_version")
    return list(rows)


def test_importing_twice_changes_nothing(journal: Path, tmp_path: Path) -> None:
    write_many(journal, 3, since=datetime(2026, 1, 8, tzinfo=UTC))
    code, report = run(journal)
    assert (code, report["inserted"], report["known"], report["inserted_by_trader"]) == (0, 3, 0, {TRADER: 3})
    before = recorded()

    code, report = run(journal)
    assert (code, report["inserted"], report["known"]) == (0, 0, 3)
    assert recorded() == before
    assert [path.name for path in tmp_path.iterdir()] == ["journal"]


def test_cycles_go_on_from_what_is_recorded_in_order_of_time(journal: Path) -> None:
    decisions.record_decision(make_entry())
    write(journal, "cycle_a.json", timestamp="2026-01-08T10:00:02Z", cycle_number=1)
    write(journal, "cycle_b.json", timestamp="2026-01-08T10:00:01Z", cycle_number=1)
    write(journal, "cycle_c.json", timestamp="2026-01-08T10:00:03Z", cycle_number=1, trader_id="other")
    run(journal)

    assert [(name, number) for name, number, _version in recorded()] == [
        (TRADER, 1), (TRADER, 2), (TRADER, 3), ("other", 1)]  # fmt: skip
    second = DecisionJournal.objects.get(trader=TRADER, cycle_number=2)
    assert second.detail["origin"]["file"] == "cycle_b.json"
    assert second.detail["engine"]["cycle"] == 1


def test_more_files_than_a_batch_are_numbered_without_a_gap(journal: Path) -> None:
    write_many(journal, 1_203, since=datetime(2026, 1, 8, tzinfo=UTC))
    _code, report = run(journal)
    assert report["inserted"] == 1_203
    assert [number for _name, number, _version in recorded()] == list(range(1, 1_204))


def test_what_is_recorded_comes_back_as_the_file_said(journal: Path) -> None:
    write(journal, decisions_json=cycle()["decisions_json"].replace("breakout", "tab\\tand \\\\ and \\u00e9"))
    run(journal)
    row = DecisionJournal.objects.get()
    found = decisions.stored(row.trader_id, row.pk)
    assert found is not None
    (decision,) = found.entry.detail.decisions
    assert decision.reasoning == "tab\tand \\ and é"
    assert str(decision.position_size_usd) == "450.50"
    assert found.entry.decided_at == datetime(2026, 1, 8, 10, 30, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("version", [0, None])
def test_a_file_without_a_version_belongs_to_the_one_valid_then(journal: Path, version: int | None) -> None:
    save_edit(TRADER, detail__risk__max_positions=4)
    moments = [
        changed_at(1) - timedelta(microseconds=1),
        changed_at(1),
        changed_at(2),
        changed_at(2) + timedelta(minutes=1),
    ]
    for number, moment in enumerate(moments):
        write(journal, f"cycle_{number}.json", timestamp=at(moment), config_version=version)
    _code, report = run(journal)

    assert [found for _name, _number, found in recorded()] == [None, 1, 2, 2]
    assert report["before_v1"] == 1


def test_a_version_that_the_file_names_is_taken_and_one_that_never_was_is_refused(journal: Path) -> None:
    save_edit(TRADER, detail__risk__max_positions=4)
    write(journal, "cycle_1.json", config_version=2)
    write(journal, "cycle_2.json", config_version=3)
    code, report = run(journal)

    assert (code, report["inserted"], report["refused"]) == (3, 1, 1)
    assert report["rejects"] == [
        {"file": "cycle_2.json", "index": None, "field": "config_version",
         "message": "must be one of steady_long's 1 to 2, was 3"}]  # fmt: skip
    assert recorded() == [(TRADER, 1, 2)]


def test_a_bad_file_never_hinders_a_good_one_and_is_kept_for_later(journal: Path, tmp_path: Path) -> None:
    write(journal, "cycle_1.json")
    (journal / "cycle_2.json").write_text('{"trader_id": "steady')
    write(journal, "cycle_3.json", trader_id="nobody")
    (journal / "cycle_4.json").write_bytes(b"\xff\xfe")
    code, report = run(journal)

    assert (code, report["inserted"], report["refused"]) == (3, 1, 3)
    lines = [json.loads(line) for line in (tmp_path / "journal_rejects.jsonl").read_text().splitlines()]
    assert {line["file"]: line["message"][:12] for line in lines} == {
        "cycle_2.json": "is not JSON:", "cycle_3.json": "'nobody' is ", "cycle_4.json": "is UTF-16; s"}  # fmt: skip
    assert "import_arena" in next(line["message"] for line in lines if line["file"] == "cycle_3.json")
    assert next(line["record"]["trader_id"] for line in lines if line["file"] == "cycle_3.json") == "nobody"


def test_strict_takes_all_or_nothing(journal: Path) -> None:
    write(journal, "cycle_1.json")
    write(journal, "cycle_2.json", trader_id="nobody", timestamp="2026-01-09T10:00:00Z")
    code, report = run(journal, "--strict")
    assert (code, report["refused"], recorded()) == (1, 1, [])
    assert "cycle_2.json: trader_id 'nobody' is no trader here" in report["error"]


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(journal: Path) -> None:
    write(journal)
    code, report = run(journal, "--dry-run")
    assert (code, report["inserted"], report["dry_run"], recorded()) == (0, 1, True, [])


def test_nothing_but_refused_files_ends_with_1(journal: Path) -> None:
    write(journal, trader_id="nobody")
    assert run(journal)[0] == 1


def test_only_the_traders_that_were_asked_for_are_read(journal: Path) -> None:
    write(journal, "cycle_1.json")
    write(journal, "cycle_2.json", trader_id="other")
    write(journal, "cycle_3.json", trader_id="nobody")
    code, report = run(journal, "--trader", "other")
    assert (code, report["inserted_by_trader"], report["of_other_traders"]) == (0, {"other": 1}, 2)
    assert run(journal, "--trader", "nobody")[0] == 1


def test_a_decision_of_a_retired_trader_is_taken_as_one_from_before(journal: Path) -> None:
    save_edit(TRADER, detail__retired=True)
    write(journal, "cycle_1.json", timestamp=at(changed_at(2)))
    write(journal, "cycle_2.json", timestamp=at(changed_at(1)))
    code, report = run(journal)
    assert (code, report["inserted"]) == (0, 2)


def test_an_entry_twice_in_one_directory_is_recorded_once(journal: Path) -> None:
    write(journal, "cycle_1.json")
    write(journal, "cycle_2.json")
    _code, report = run(journal)
    assert (report["inserted"], report["known"]) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_record_each_entry_once(journal: Path) -> None:
    write_many(journal, 20, since=datetime(2026, 1, 8, tzinfo=UTC))
    reports = at_once(*(lambda: import_journal(journal, on_reject=lambda reject: None) for _ in range(2)))

    assert sorted(report.inserted.total() for report in reports) == [0, 20]
    assert [number for _name, number, _version in recorded()] == list(range(1, 21))


def test_a_name_that_is_no_text_is_kept_in_a_form_that_is(journal: Path) -> None:
    raw = os.path.join(os.fsencode(journal), b"cycle_\xff.json")
    Path(os.fsdecode(raw)).write_text(json.dumps(cycle()))
    assert run(journal)[0] == 0
    assert DecisionJournal.objects.get().detail["origin"]["file"] == "cycle_\\udcff.json"


def test_what_is_no_directory_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nowhere: No such file or directory"):
        call_command("import_journal", str(tmp_path / "nowhere"))


def test_the_report_for_people_counts_and_names(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(journal, "cycle_1.json", timestamp="2020-01-01T00:00:00Z", config_version=0)
    write(journal, "cycle_2.json", config_version="yes")
    with pytest.raises(SystemExit, match="3"):
        call_command("import_journal", str(journal))
    assert capsys.readouterr().out.splitlines() == [
        "refused    cycle_2.json: config_version must be a number, was 'yes'",
        "All that was refused is in journal_rejects.jsonl.",
        "recorded   steady_long: 1",
        "1 were decided before their trader's first version.",
        "2 files: 1 recorded, 1 refused.",
    ]


def test_every_file_is_told_of_as_it_is_read_and_as_it_is_taken(journal: Path) -> None:
    write_many(journal, 3, since=datetime(2026, 1, 8, tzinfo=UTC))
    (journal / "cycle_broken.json").write_text("{")
    told: list[int] = []
    import_journal(journal, on_reject=lambda reject: None, on_files=told.append)

    assert told == [1] * (READINGS * 4)


def test_a_terminal_sees_how_far_it_is(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_many(journal, 5, since=datetime(2026, 1, 8, tzinfo=UTC))
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    monkeypatch.setattr(progress, "SECONDS_BETWEEN", 0.0)
    assert run(journal)[1]["inserted"] == 5

    assert "] 100%" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_symbols_are_kept_as_the_exchange_writes_them(journal: Path) -> None:
    symbols.add(["kPEPE"])
    listed = [{"Symbol": name, "Action": "hold"} for name in ("KPEPE", "BTC/USDT:USDT", "币安人生USDT", "btc")]
    write(journal, decisions_json=json.dumps(listed), candidates=["kPEPE", "BTC/USDT:USDT"], actions=[])

    assert run(journal)[0] == 0
    detail = DecisionJournal.objects.get().detail
    assert [one["symbol"] for one in detail["decisions"]] == ["kPEPE", "BTC/USDT:USDT", "币安人生USDT", "BTC"]
    assert detail["candidates"] == ["kPEPE", "BTC/USDT:USDT"]


def test_a_decision_ahead_of_the_clock_is_refused(journal: Path) -> None:
    write(journal, timestamp=at(datetime.now(UTC) + timedelta(minutes=6)))

    code, report = run(journal)

    assert (code, report["inserted"]) == (1, 0)
    assert "6 min ahead" in Path("journal_rejects.jsonl").read_text()


def test_the_directories_of_the_traders_are_read_as_well(journal: Path) -> None:
    for number, name in enumerate((TRADER, "other"), 1):
        (journal / name).mkdir()
        write(journal / name, f"cycle_{number}.json", trader_id=name)

    code, report = run(journal)

    assert (code, report["inserted_by_trader"]) == (0, {"other": 1, TRADER: 1})


def test_only_files_are_read_and_the_others_are_named(journal: Path, tmp_path: Path) -> None:
    """A named pipe that nothing writes into blocks its reader for ever."""
    write(journal, "cycle_1.json")
    os.mkfifo(journal / "cycle_2_pipe.json")
    (journal / "cycle_3_directory.json").mkdir()
    (journal / "cycle_4_device.json").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as opened:
        # The name of a socket must be short, which that of the test's directory is not.
        opened.bind(str(Path("journal") / "cycle_5_socket.json"))

    code, report = run(journal, "--rejects", str(tmp_path / "rejects.jsonl"))

    assert (code, report["inserted"], report["refused"]) == (3, 1, 4)
    lines = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert {line["file"]: line["message"] for line in lines} == {
        "cycle_2_pipe.json": "is a named pipe, not a file",
        "cycle_3_directory.json": "is a directory, not a file",
        "cycle_4_device.json": "is a device, not a file",
        "cycle_5_socket.json": "is a socket, not a file",
    }
