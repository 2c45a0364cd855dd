"""What killed and rival exporters leave in the directory."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.at_once import at_once
from tests.platform.processes import wait_for
from tests.trading.export.whole import Pruned, whole_run
from trading.export.directory.manifest import NAME, DocumentSource, Manifest, ManifestEntry
from trading.export.directory.runs import ExportDirectory, Run, RunOvertaken
from trading.export.status import file as status
from trading.export.status.file import ExportStatus, ServerSeen


def begun(root: Path, as_of: int, body: bytes = b'{"a":1}') -> tuple[Run, Manifest]:
    run = ExportDirectory(root).begin(as_of)
    return run, Manifest(as_of, 0, [run.put(ManifestEntry(name="a", source=DocumentSource.LIVE, as_of=as_of), body)])


def publish(root: Path, as_of: int) -> None:
    ExportDirectory(root).publish(*begun(root, as_of))


def test_an_older_run_never_replaces_a_newer_one(tmp_path: Path) -> None:
    slow = begun(tmp_path, 1000)
    publish(tmp_path, 2000)

    with pytest.raises(OSError, match="runs/1000"):
        slow[0].put(ManifestEntry(name="b", source=DocumentSource.LIVE, as_of=1000), b"{}")
    with pytest.raises(RunOvertaken, match="Run 1000 was taken away"):
        ExportDirectory(tmp_path).publish(*slow)
    assert whole_run(tmp_path)[0].as_of == 2000


def test_who_begins_last_publishes(tmp_path: Path) -> None:
    first, second = begun(tmp_path, 2000), begun(tmp_path, 1000)

    with pytest.raises(RunOvertaken, match="Run 2000 was taken away by another exporter, which began later."):
        ExportDirectory(tmp_path).publish(*first)
    ExportDirectory(tmp_path).publish(*second)
    assert whole_run(tmp_path)[0].as_of == 1000


def test_a_slow_exporter_publishes_neither_over_nor_into_a_run_of_the_same_moment(tmp_path: Path) -> None:
    directory = ExportDirectory(tmp_path)
    slow, other = directory.begin(1000), directory.begin(1000)
    assert slow.as_of == other.as_of
    with pytest.raises(FileNotFoundError):
        slow.put(ManifestEntry(name="a", source=DocumentSource.LIVE, as_of=1000), b"{}")
    with pytest.raises(RunOvertaken):
        directory.publish(slow, Manifest(slow.as_of, 0, []))
    directory.publish(other, Manifest(other.as_of, 0, []))
    later = directory.begin(1000)
    directory.publish(later, Manifest(later.as_of, 0, []))
    with pytest.raises(RunOvertaken):
        directory.publish(slow, Manifest(slow.as_of, 0, []))
    current = directory.current()
    assert current is not None
    assert current.manifest.as_of == later.as_of


@pytest.mark.django_db
def test_of_many_exporters_at_once_each_run_that_is_seen_is_whole(tmp_path: Path) -> None:
    seen: list[int] = []
    done: list[bool] = []

    def export_once() -> None:
        run = ExportDirectory(tmp_path).begin(1000)
        entry = run.put(ManifestEntry(name="a", source=DocumentSource.LIVE, as_of=run.as_of), b'{"a":1}')
        ExportDirectory(tmp_path).publish(run, Manifest(run.as_of, 0, [entry]))

    def export() -> None:
        # The reader has seen the first run, so it sees at least one newer run too.
        try:
            wait_for(lambda: bool(seen))
            for _ in range(30):
                with suppress(RunOvertaken, OSError):
                    export_once()
        finally:
            done.append(True)

    def read() -> None:
        # Once all exporters are done, the run that is read cannot be pruned any more.
        is_last = False
        while not is_last:
            is_last = len(done) == 3
            with suppress(Pruned):
                seen.append(whole_run(tmp_path)[0].as_of)

    export_once()
    assert at_once(export, export, export, read) == [None] * 4
    assert seen == sorted(seen)
    assert len(set(seen)) > 1


def test_a_run_whose_manifest_was_cut_short_counts_for_nothing(tmp_path: Path) -> None:
    publish(tmp_path, 1000)
    cut, _manifest = begun(tmp_path, 2000)
    (cut.path / f"{NAME}.next").write_bytes(b'{"as_of":2000,"fi')
    directory = ExportDirectory(tmp_path)

    assert directory.runs() == [1000]
    publish(tmp_path, 3000)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["1000", "3000"]


def test_a_link_that_a_killed_exporter_left_is_in_nobodys_way(tmp_path: Path) -> None:
    publish(tmp_path, 1000)
    (tmp_path / "current.next").symlink_to("runs/500")
    publish(tmp_path, 2000)

    assert whole_run(tmp_path)[0].as_of == 2000
    assert not (tmp_path / "current.next").is_symlink()


def test_what_is_written_never_reaches_the_run_before(tmp_path: Path) -> None:
    publish(tmp_path, 1000)
    (tmp_path / "runs" / "1000" / "a.json.gz").unlink()
    run, _ = begun(tmp_path, 2000, b"{}")
    assert not run.keep("a")
    run.put(ManifestEntry(name="a", source=DocumentSource.LIVE, as_of=2000), b"another document")

    before = ExportDirectory(tmp_path).current()
    assert before is not None
    body = (before.path / "a.json").read_bytes()
    assert hashlib.sha256(body).hexdigest() == before.manifest.files[0].sha256


def test_the_status_of_many_writers_is_of_one_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / f"{status.NAME}.next").write_bytes(b'{"at":')
    for cycles in range(5):
        status.write(
            tmp_path, ExportStatus(time.time(), 1, ServerSeen(is_up=True), ServerSeen(is_up=True), cycles=cycles)
        )

    seen = status.read(tmp_path)
    assert seen is not None
    assert seen.cycles == 4
    assert {path.name for path in tmp_path.iterdir()} == {status.NAME, "lock"}
