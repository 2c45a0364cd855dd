"""A zip is read without trusting it."""

from __future__ import annotations

import stat
from contextlib import suppress
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from traders.manager_yaml.bundle import archive
from traders.manager_yaml.bundle.archive import InvalidArchive, is_archive, unpacked
from traders.manager_yaml.yaml.document import MAX_FILE_BYTES


def zipped(*files: tuple[str | ZipInfo, bytes]) -> bytes:
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as made:
        for name, body in files:
            made.writestr(name, body)
    return content.getvalue()


MANAGER = ("manager.yaml", b"traders: []\n")


@pytest.mark.parametrize("folder", ["", "fleet/", "./"])
def test_a_bundle_is_read_from_its_top_or_from_one_folder(folder: str) -> None:
    files = unpacked(zipped((f"{folder}manager.yaml", b"a"), (f"{folder}prompts/x.tmpl", b"b"), ("__MACOSX/._x", b"c")))
    assert {name: body for name, body in files.items() if "x" in name} == {"prompts/x.tmpl": b"b"}
    assert files["manager.yaml"] == b"a"


@pytest.mark.parametrize(
    "name", ["../x.tmpl", "prompts/../../x", "/etc/x.tmpl", "C:/x.tmpl", "..\\x.tmpl", "prompts\\..\\x"]
)
def test_paths_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(InvalidArchive, match="leads out of it"):
        unpacked(zipped(MANAGER, (name, b"x")))


def test_links_are_refused() -> None:
    link = ZipInfo("prompts/x.tmpl")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(InvalidArchive, match="a link"):
        unpacked(zipped(MANAGER, (link, b"/etc/passwd")))


def test_a_file_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = zipped(MANAGER, MANAGER)
    with pytest.raises(InvalidArchive, match="twice"):
        unpacked(content)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ((("x.tmpl", b""),), "holds no manager.yaml"),
        ((("a/manager.yaml", b""), ("b/manager.yaml", b"")), "holds several manager.yaml"),
        ((("a/b/manager.yaml", b""),), "holds no manager.yaml"),
    ],
)
def test_it_must_hold_one_manager_yaml(files: tuple[tuple[str, bytes], ...], message: str) -> None:
    with pytest.raises(InvalidArchive, match=message):
        unpacked(zipped(*files))


def test_what_grows_without_end_is_not_unpacked() -> None:
    bomb = zipped(MANAGER, ("prompts/x.tmpl", b"\0" * (MAX_FILE_BYTES + 1)))
    assert len(bomb) < 50_000
    with pytest.raises(InvalidArchive, match="too large when unpacked"):
        unpacked(bomb)


def test_all_of_it_together_is_limited_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(InvalidArchive, match=r"'c.tmpl', which is too large"):
        unpacked(zipped(MANAGER, ("a.tmpl", b"x" * 400), ("b.tmpl", b"x" * 400), ("c.tmpl", b"x" * 400)))


def test_too_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ENTRIES", 2)
    with pytest.raises(InvalidArchive, match="holds 3 files"):
        unpacked(zipped(MANAGER, ("a", b""), ("b", b"")))


def test_a_password_is_refused() -> None:
    content = bytearray(zipped(MANAGER))
    content[6] |= 1  # the local header's flags
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and the directory's
    with pytest.raises(InvalidArchive, match="password"):
        unpacked(bytes(content))


@given(st.integers(4, 200), st.binary(min_size=1, max_size=8))
@example(156, b"\0")  # the name of a file begins with a zero, so it has none
def test_a_spoilt_zip_is_refused_and_never_a_crash(position: int, junk: bytes) -> None:
    content = bytearray(zipped(MANAGER, ("prompts/x.tmpl", b"text " * 20)))
    content[position : position + len(junk)] = junk
    assert is_archive(bytes(content))
    with suppress(InvalidArchive):
        assert "manager.yaml" in unpacked(bytes(content))
