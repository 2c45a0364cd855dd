"""Backups: one file that is proven when it is restored, and a restore that happens whole or not at all."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as site
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from nof0site.backup import queries, services, writer
from nof0site.backup.archive import DUMP, MANIFEST, BadArchive, TableProof, unpack
from tests.citus import is_citus
from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.database.filled import as_default
from tests.traders.database.scratch import scratch_database
from tests.trading_factories import make_entry, make_trade
from traders.models import TraderConfig, TraderControl
from traders.tokens import services as tokens
from trading.models import Trade
from trading.record.distribution import services as distribution
from trading.record.writing.decisions import record_decision
from trading.record.writing.trades import record_trade

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def archive(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A backup of two traders with versions, a record, a token, an account with an open session; made once, the rows
    are gone after the first test."""
    path = tmp_path_factory.mktemp("backup") / "site.backup"
    with django_db_blocker.unblock():
        _fill()
        call_command("backup", str(path))
    return path


def _fill() -> None:
    sync_traders(make_trader(), make_trader("quick_short"))
    save_edit("steady_long", detail__risk__max_positions=7)
    record_trade(make_trade())
    record_decision(make_entry())
    tokens.create(name="engine-1", scopes=["read-config"], actor="mei")
    Client().force_login(User.objects.create_superuser("ada", password="x"))


@contextmanager
def empty_database() -> Iterator[None]:
    """The site on a database of its own that holds nothing."""
    with scratch_database("restored") as scratch, as_default(scratch):
        yield


def changed(archive: Path, name: str, content: bytes | None) -> Path:
    """A copy of the archive with one entry replaced, or left out."""
    path = archive.with_name(f"changed-{uuid4()}.backup")
    with tarfile.open(archive) as source, tarfile.open(path, "w") as target:
        for entry in source:
            body = source.extractfile(entry)
            assert body
            data = body.read() if entry.name != name else content
            if data is not None:
                entry.size = len(data)
                target.addfile(entry, io.BytesIO(data))
    return path


def manifest_of(archive: Path) -> dict[str, Any]:
    with tarfile.open(archive) as source:
        body = source.extractfile(MANIFEST)
        assert body
        found: dict[str, Any] = json.loads(body.read())
    return found


def test_a_restore_has_every_row_and_stops_the_fleet(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proofs = {name: TableProof(**proof) for name, proof in manifest_of(archive)["tables"].items()}
    with empty_database():
        call_command("restore", str(archive))
        assert "Restored" in capsys.readouterr().out
        after = queries.proofs()
        stop = TraderControl.objects.get()
        assert (stop.kind, stop.trader_id, stop.actor) == ("stop", None, "restore")
        assert list(TraderConfig.objects.order_by("pk").values_list("pk", "version")) == [
            ("quick_short", 1),
            ("steady_long", 2),
        ]
        assert {name for name in proofs if proofs[name] != after[name]} <= {
            *("trader_controls", "trader_runtime_state", "config_writes")
        }
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM account_sessions")
            assert cursor.fetchone() == (0,), "a session that was ended since must not come back"
        save_edit("steady_long", detail__risk__max_positions=8)
        record_trade(make_trade(symbol="ETH"))
        assert Trade.objects.count() == 2


def test_a_backup_holds_no_secret_and_is_readable_by_its_owner_only(archive: Path) -> None:
    assert archive.stat().st_mode & 0o077 == 0
    with tarfile.open(archive) as source:
        names = source.getnames()
        kept = source.extractfile("settings.json")
        assert kept
        text = kept.read().decode()
    assert names[-1] == MANIFEST
    assert site.SECRET_KEY not in text
    assert not [
        name for name in json.loads(text) if "SECRET_KEY" in name or "PASSWORD" in name or name == "DATABASE_URL"
    ]


def test_a_database_with_tables_is_refused(archive: Path) -> None:
    with pytest.raises(CommandError, match=r"not empty: it holds \d+ tables"):
        call_command("restore", str(archive))


def test_an_archive_is_held_to_its_digests(archive: Path, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    with tarfile.open(archive) as source:
        dump = source.extractfile(DUMP)
        assert dump
        body = bytearray(dump.read())
    body[len(body) // 2] ^= 1
    cut = tmp_path / "cut.backup"
    cut.write_bytes(whole[: len(whole) // 2])
    with empty_database():
        for path, said in (
            (changed(archive, DUMP, bytes(body)), "differ from the manifest"),
            (cut, "damaged|cut short"),
            (changed(archive, MANIFEST, None), "no manifest"),
            (changed(archive, "settings.json", None), r"settings\.json differ"),
            (Path(__file__), "no backup"),
        ):
            with pytest.raises(CommandError, match=said):
                call_command("restore", str(path))
            assert queries.tables() == []
        with pytest.raises(CommandError, match="No such file"):
            call_command("restore", str(tmp_path / "absent"))


def test_a_backup_of_a_newer_release_or_format_is_refused(archive: Path) -> None:
    read = manifest_of(archive)
    newer = read | {"migrations": [*read["migrations"], "traders.9999_from_the_future"], "release": "9.9.9"}
    with empty_database():
        for manifest, said in ((newer, r"release 9\.9\.9.*9999_from_the_future"), (read | {"format": 2}, "format 2")):
            with pytest.raises(CommandError, match=said):
                call_command("restore", str(changed(archive, MANIFEST, json.dumps(manifest).encode())))
            assert queries.tables() == []


def test_rows_that_are_not_those_of_the_backup_are_rolled_back(archive: Path) -> None:
    read = manifest_of(archive)
    for proof in (read["tables"]["trades"] | {"rows": 5}, read["tables"]["trades"] | {"digest": "1"}):
        tables = read["tables"] | {"trades": proof}
        path = changed(archive, MANIFEST, json.dumps(read | {"tables": tables}).encode())
        with empty_database():
            with pytest.raises(CommandError, match=r"trades has 1 rows.*nothing was restored"):
                call_command("restore", str(path))
            assert queries.tables() == []


def test_a_backup_replaces_no_file_and_leaves_none_behind_when_it_fails(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Path(shutil.copy(archive, tmp_path))
    before = archive.read_bytes()
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", str(archive))
    assert archive.read_bytes() == before
    with pytest.raises(CommandError):
        call_command("backup", "/dev/full/site.backup")
    monkeypatch.setattr(writer, "dump", _full)
    with pytest.raises(CommandError, match="No space left"):
        call_command("backup", str(tmp_path / "second.backup"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["site.backup"]


def _full(*_arguments: object) -> None:
    raise OSError(28, "No space left on device", "site.backup")


def test_an_archive_with_a_path_out_of_it_is_refused(archive: Path, tmp_path: Path) -> None:
    archive = Path(shutil.copy(archive, tmp_path))
    with tarfile.open(archive, "a") as target:
        target.addfile(tarfile.TarInfo("../outside"), io.BytesIO(b""))
    with pytest.raises(BadArchive, match="which no backup holds"):
        unpack(archive, tmp_path / "unpacked")
    assert not (tmp_path / "outside").exists()


def test_the_published_documents_come_back_where_there_are_none(archive: Path, tmp_path: Path, settings: Any) -> None:
    settings.EXPORT_DIR = tmp_path / "export"
    run = settings.EXPORT_DIR / "runs" / "1764037200000"
    run.mkdir(parents=True)
    (run / "trades.json").write_text("{}")
    (settings.EXPORT_DIR / "current").symlink_to("runs/1764037200000")
    with_export = tmp_path / "with-export.backup"
    call_command("backup", str(with_export))
    settings.EXPORT_DIR = tmp_path / "elsewhere"
    with empty_database():
        services.restore(with_export)
    assert (settings.EXPORT_DIR / "current" / "trades.json").read_text() == "{}"


@pytest.mark.slow
def test_a_backup_of_an_older_release_is_brought_up_to_this_one(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "older.backup"
    with empty_database():
        call_command("migrate", "trading", verbosity=0)
        call_command("migrate", "traders", "0021", verbosity=0)
        call_command("backup", str(path))
    with empty_database():
        call_command("restore", str(path))
        assert "migrations of this release were applied" in capsys.readouterr().out
        assert TraderControl.objects.filter(kind="stop", actor="restore").exists()
        sync_traders(make_trader())


@pytest.mark.faults
@pytest.mark.parametrize("after_seconds", [0.3, 0.6, 1.0, 1.5, 2.5, 4.0])
def test_a_restore_that_is_killed_leaves_an_empty_database_or_the_whole_one(
    archive: Path, after_seconds: float
) -> None:
    rows = manifest_of(archive)["tables"]["trades"]["rows"]
    with empty_database():
        parameters = connection.get_connection_params()
        program = (
            "import django; django.setup()\n"
            "from django.db import connection\n"
            f"connection.settings_dict['NAME'] = {parameters['dbname']!r}\n"
            f"connection.settings_dict['HOST'] = {parameters['host']!r}\n"
            "from pathlib import Path\nfrom nof0site.backup import writer\nfrom nof0site.backup.archive import unpack\n"
            "import tempfile\nfolder = Path(tempfile.mkdtemp())\n"
            f"manifest = unpack(Path({str(archive)!r}), folder)\n"
            "writer.load(folder / 'database.dump', manifest.tables)\n"
        )
        env = {"DJANGO_SETTINGS_MODULE": "nof0site.settings", "NOF0_DATA_DIR": str(site.DATA_DIR)}
        restoring = subprocess.Popen([sys.executable, "-c", program], cwd=site.BASE_DIR, env=env)
        time.sleep(after_seconds)
        restoring.send_signal(signal.SIGKILL)
        restoring.wait()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:  # the server notices that its client is gone
            found = queries.tables()
            time.sleep(0.5)
            if queries.tables() == found:
                break
        if found:
            assert Trade.objects.count() == rows
            assert TraderControl.objects.filter(kind="stop", actor="restore").exists()


@pytest.mark.parametrize("is_written", [False, True])
def test_a_spread_record_that_changes_while_it_is_copied_makes_no_backup(
    is_written: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A snapshot is of one server."""
    sync_traders(make_trader())
    monkeypatch.setattr("trading.record.stored.spread.form.was_spread", lambda: True)
    dump = writer.dump

    def dump_and_record(to: Path, snapshot_name: str) -> None:
        dump(to, snapshot_name)
        if is_written:
            record_trade(make_trade())

    monkeypatch.setattr(writer, "dump", dump_and_record)
    path = tmp_path / "site.backup"
    if is_written:
        with pytest.raises(BadArchive, match="trades, version_results changed while this was made"):
            services.back_up(path)
    else:
        services.back_up(path)
    assert path.exists() is not is_written


@pytest.mark.skipif(not is_citus(), reason="needs TEST_CITUS_URL, a server with Citus")
def test_a_restored_record_that_was_spread_is_spread_again(archive: Path) -> None:
    with empty_database():
        assert services.restore(archive).was_spread
        before = distribution.verify()
        assert distribution.plan(2).is_restored
        done, after = distribution.distribute(2, actor="mei", told=lambda _step: None)
        assert (done.is_restored, after) == (True, before)
        assert distribution.plan(2).is_done
