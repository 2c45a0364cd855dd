"""What killed and rival exporters leave in the directory."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest

from tests.at_once import at_once
from tests.trading.export.whole import whole_run
from trading.exporter import status
from trading.exporter.directory import ExportDirectory, Overtaken, Run
from trading.exporter.manifest import NAME, Entry, Manifest, Source
from trading.exporter.status import Seen, Status


def begun(root: Path, as_of: int, body: bytes = b'{"a":1}') -> tuple[Run, Manifest]:
    run = ExportDirectory(root).begin(as_of)
    return run, Manifest(as_of, 0, [run.put(Entry(name="a", source=Source.LIVE, as_of=as_of), body)])


def publish(root: Path, as_of: int) -> None:
    run, manifest = begun(root, as_of)
    run.finish(manifest)
    ExportDirectory(root).publish(run)


def test_an_older_run_never_replaces_a_newer_one(tmp_path: Path) -> None:
    slow, manifest = begun(tmp_path, 1000)
    publish(tmp_path, 2000)
    slow.finish(manifest)

    with pytest.raises(Overtaken, match="Run 1000 is older than 2000, which another exporter wrote."):
        ExportDirectory(tmp_path).publish(slow)
    assert whole_run(tmp_path)[0].as_of == 2000


@pytest.mark.django_db
def test_of_many_that_publish_at_once_the_newest_is_seen(tmp_path: Path) -> None:
    runs = []
    for as_of in range(1000, 1012):
        run, manifest = begun(tmp_path, as_of)
        run.finish(manifest)
        runs.append(run)
    ends = at_once(*(lambda run=run: ExportDirectory(tmp_path).publish(run) for run in runs))

    assert {type(end) for end in ends} <= {type(None), Overtaken}
    assert whole_run(tmp_path)[0].as_of == 1011


def test_a_run_whose_manifest_was_cut_short_counts_for_nothing(tmp_path: Path) -> None:
    publish(tmp_path, 1000)
    begun(tmp_path, 2000)
    (tmp_path / "runs" / "2000" / f"{NAME}.next").write_bytes(b'{"as_of":2000,"fi')
    directory = ExportDirectory(tmp_path)

    assert directory.runs() == [1000]
    publish(tmp_path, 3000)
    directory.prune(keep_after_ms=3000)
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
    run.put(Entry(name="a", source=Source.LIVE, as_of=2000), b"another document")

    before = ExportDirectory(tmp_path).current()
    assert before is not None
    body = (before.path / "a.json").read_bytes()
    assert hashlib.sha256(body).hexdigest() == before.manifest.files[0].sha256


def test_the_status_of_many_writers_is_of_one_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / f"{status.NAME}.next").write_bytes(b'{"at":')
    for cycles in range(5):
        status.write(tmp_path, Status(time.time(), 1, Seen(is_up=True), Seen(is_up=True), cycles=cycles))

    seen = status.read(tmp_path)
    assert seen is not None
    assert seen.cycles == 4
    assert {path.name for path in tmp_path.iterdir()} == {status.NAME, "lock"}
