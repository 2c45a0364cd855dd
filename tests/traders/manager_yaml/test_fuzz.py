"""Whatever the bytes: a valid fleet or InvalidFile, nothing else."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.traders.manager_yaml.sample import MANAGER, SECOND, write_sample
from traders.manager_yaml.file import InvalidFile
from traders.manager_yaml.reader import read_manager_yaml
from traders.manager_yaml.yaml import nodes

WHOLE = MANAGER.replace("monitoring:", SECOND + "monitoring:") + "extra: {a: [1, {b: x}]}\n"
FRAGMENTS = st.sampled_from(
    (
        *("&a ", "*a", "<<: *a", "!!str ", "? ", "- ", "[", "]", "{", "}", "'", '"', "\n", "\t", ": ", "#", "|\n"),
        *("---\n", "%YAML 1.2\n", "\0", "\x85", "\u2028", "\ud800", '"\\ud800"', '"\\U00110000"', "~"),
        *("1e9999999999", "0" * 99),
    )
)


@pytest.fixture(scope="module", autouse=True)
def _directory() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as directory:
        write_sample(Path(directory))
        _place.append(Path(directory, "manager.yaml"))
        yield
        _place.clear()


_place: list[Path] = []


def read(content: bytes) -> None:
    _place[0].write_bytes(content)
    with contextlib.suppress(InvalidFile):
        assert read_manager_yaml(_place[0]).fleet


@given(st.binary(max_size=200))
def test_arbitrary_bytes(content: bytes) -> None:
    read(content)


@given(st.data())
def test_spoilt_samples(data: st.DataObject) -> None:
    text = WHOLE
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 30)))
        text = text[:start] + data.draw(FRAGMENTS | st.text(max_size=8)) + text[end:]
    read(text.encode("utf-8", "surrogatepass"))


@given(st.text(max_size=60), FRAGMENTS)
def test_spoilt_samples_without_libyaml(text: str, fragment: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodes, "_Loader", yaml.BaseLoader)
        read(MANAGER.replace("Long", text + fragment).encode("utf-8", "surrogatepass"))
