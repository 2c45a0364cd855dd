from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from nof0site.environment.variables import env_bool, env_int, env_list, env_secret, env_str, env_zone


@pytest.mark.parametrize(("word", "meant"), [("1", True), ("Yes", True), (" on ", True), ("0", False), ("NO", False)])
def test_a_switch_has_many_spellings(monkeypatch: pytest.MonkeyPatch, word: str, meant: bool) -> None:
    monkeypatch.setenv("SWITCH", word)
    assert env_bool("SWITCH", default=not meant) is meant


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", "  ")
    assert env_str("EMPTY", "default") == "default"
    assert env_bool("EMPTY", default=True) is True
    assert env_int("EMPTY", default=7) == 7
    assert env_list("EMPTY", default=["a"]) == ["a"]


def test_a_word_that_is_no_switch_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "maybe")
    with pytest.raises(ImproperlyConfigured, match=r"DEBUG='maybe' is not a switch. Use 1, true"):
        env_bool("DEBUG", default=False)


@pytest.mark.parametrize(("text", "problem"), [("many", "not a whole number, such as 4"), ("0", "Use 1 or more")])
def test_a_number_out_of_range_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str, problem: str) -> None:
    monkeypatch.setenv("WEB_THREADS", text)
    with pytest.raises(ImproperlyConfigured, match=f"WEB_THREADS=.*{problem}"):
        env_int("WEB_THREADS", default=4, minimum=1)


def test_a_list_is_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "a.example, b.example,,")
    assert env_list("ALLOWED_HOSTS", default=[]) == ["a.example", "b.example"]


def test_a_secret_comes_from_the_file_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n", encoding="utf-8")
    monkeypatch.setenv("TOKEN_FILE", str(tmp_path / "secret"))
    assert env_secret("TOKEN") == "from a file"


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "TOKEN_FILE=.* cannot be read"), (b" \n", "is empty"), (b"\xff\xfe", "cannot be read")],
)
def test_a_secret_file_without_a_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, problem: str
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    monkeypatch.setenv("TOKEN_FILE", str(tmp_path / "secret"))
    with pytest.raises(ImproperlyConfigured, match=problem):
        env_secret("TOKEN")


def test_a_secret_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "a")
    monkeypatch.setenv("TOKEN_FILE", "b")
    with pytest.raises(ImproperlyConfigured, match="both set"):
        env_secret("TOKEN")


def test_a_time_zone_has_a_name_of_the_iana(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_TIMEZONE", "Asia/Shanghai")
    assert env_zone("DESK_TIMEZONE", "UTC").key == "Asia/Shanghai"
    monkeypatch.setenv("DESK_TIMEZONE", "")
    assert env_zone("DESK_TIMEZONE", "UTC").key == "UTC"
    for wrong in ("Shanghai", "+08:00", "../etc/passwd"):
        monkeypatch.setenv("DESK_TIMEZONE", wrong)
        with pytest.raises(ImproperlyConfigured, match="is no time zone"):
            env_zone("DESK_TIMEZONE", "UTC")
