"""A file beside manager.yaml is read again when it has changed, and only then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from traders.manager_yaml.file_cache import FileCache

OLD = 1_700_000_000


class Reader:
    def __init__(self) -> None:
        self.reads = 0

    def __call__(self, path: Path) -> str:
        self.reads += 1
        return path.read_text()


@pytest.fixture
def neighbour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Written long ago: no test can set the time of an inode's own change."""
    path = tmp_path / "exchange.yaml"
    path.write_text("one")
    monkeypatch.setattr("traders.manager_yaml.file_cache._SETTLED_NS", -1_000_000_000)
    return path


def test_an_unchanged_file_is_read_once(neighbour: Path) -> None:
    reader = Reader()
    cached = FileCache(reader)

    assert [cached(neighbour), cached(neighbour), cached(neighbour)] == ["one"] * 3
    assert reader.reads == 1


def test_a_changed_file_is_read_again(neighbour: Path) -> None:
    cached = FileCache(Reader())
    cached(neighbour)
    neighbour.write_text("another")
    assert cached(neighbour) == "another"

    os.utime(neighbour, (OLD, OLD))
    neighbour.write_text("answers")
    os.utime(neighbour, (OLD, OLD))
    assert cached(neighbour) == "answers"


def test_a_file_put_in_the_place_of_another_is_read(neighbour: Path) -> None:
    cached = FileCache(Reader())
    cached(neighbour)
    other = neighbour.with_name("other")
    other.write_text("two")
    other.replace(neighbour)
    assert cached(neighbour) == "two"


def test_a_file_that_was_removed_is_not_remembered(neighbour: Path) -> None:
    cached = FileCache(Reader())
    cached(neighbour)
    neighbour.unlink()
    with pytest.raises(FileNotFoundError):
        cached(neighbour)


def test_an_error_is_not_kept(neighbour: Path) -> None:
    reader = Reader()
    cached = FileCache(reader)
    neighbour.write_bytes(b"\xff")
    for _try in range(2):
        with pytest.raises(UnicodeDecodeError):
            cached(neighbour)
    assert reader.reads == 2


def test_a_file_that_was_just_written_is_read_each_time(tmp_path: Path) -> None:
    """Within one tick of the file system's clock it could change again unseen."""
    path, reader = tmp_path / "exchange.yaml", Reader()
    path.write_text("one")
    cached = FileCache(reader)
    cached(path), cached(path)
    assert reader.reads == 2


def test_few_files_are_kept(tmp_path: Path, neighbour: Path) -> None:
    cached = FileCache(Reader())
    for number in range(200):
        path = tmp_path / f"{number}.yaml"
        path.write_text(str(number))
        assert cached(path) == str(number)
    assert len(cached._found) <= 64
