"""Every text is there in both languages, and each page speaks one of them."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

GLOSSARY = Path(settings.BASE_DIR) / "docs" / "glossary.md"
LOCALE = Path(settings.BASE_DIR) / "locale" / "zh_Hans" / "LC_MESSAGES"
HELD_PLACES = re.compile(r"%\([a-zA-Z_0-9]+\)[sdr]|%[sd]|\{[a-z_0-9]*\}|</?[a-zA-Z]+|&\w+;")


def catalogue(path: Path) -> dict[str, str]:
    """Message id -> text of a compiled catalogue; an id with a context or a plural holds its separator."""
    data = path.read_bytes()
    count, ids, texts = struct.unpack_from("<3I", data, 8)

    def words(table: int, number: int) -> str:
        length, start = struct.unpack_from("<2I", data, table + 8 * number)
        return data[start : start + length].decode()

    return {words(ids, number): words(texts, number) for number in range(count)}


CHINESE = catalogue(LOCALE / "django.mo")


def test_no_text_loses_or_invents_a_held_place_in_chinese() -> None:
    wrong = {}
    for msgid, text in CHINESE.items():
        forms = [sorted(HELD_PLACES.findall(form)) for form in msgid.rpartition("\x04")[2].split("\0")]
        if msgid and sorted(HELD_PLACES.findall(text)) not in forms:
            wrong[msgid] = text
    assert wrong == {}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("xgettext") is None, reason="gettext is not installed")
def test_every_text_of_the_code_is_in_the_chinese_catalogue(tmp_path: Path) -> None:
    """`make languages` brings the catalogue up to date."""
    copy = tmp_path / "site"
    for folder in ("nof0site", "traders", "trading", "demo", "templates"):
        shutil.copytree(Path(settings.BASE_DIR) / folder, copy / folder)
    shutil.copy(Path(settings.BASE_DIR) / "manage.py", copy)
    (copy / "locale").mkdir()
    command = [sys.executable, "manage.py", "makemessages", "-l", "zh_Hans", "--no-location", "--no-obsolete"]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "nof0site.settings"}
    subprocess.run(command, cwd=copy, check=True, capture_output=True, env=environment)
    made = copy / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    # msgfmt leaves out what has no text: here each is its own.
    subprocess.run(["msgen", "-o", str(made), str(made)], check=True, capture_output=True)
    subprocess.run(["msgfmt", "-o", str(made.with_suffix(".mo")), str(made)], check=True, capture_output=True)
    wanted = {msgid for msgid in catalogue(made.with_suffix(".mo")) if msgid}
    assert wanted - set(CHINESE) == set()
    assert set(CHINESE) - wanted == {""}


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="gettext is not installed")
def test_the_compiled_catalogue_is_that_of_the_text(tmp_path: Path) -> None:
    made = tmp_path / "django.mo"
    command = ["msgfmt", "--check", "-o", str(made), str(LOCALE / "django.po")]
    subprocess.run(command, check=True, capture_output=True)
    # Without the header, in which the tools write moments.
    assert catalogue(made) | {"": ""} == CHINESE | {"": ""}


# Labels that say the word in another sense: of an exit, of an export, of a table.
OTHERWISE = {"fleet", "moment", "plan", "result", "run"}


def test_the_catalogue_says_the_words_of_the_glossary() -> None:
    rows = re.findall(r"^\| ([\w -]+) \| ([^|(（，/]+?) \|", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    terms = {word: chinese for word, chinese in rows if word not in OTHERWISE}
    found = {word: CHINESE.get(word) or CHINESE.get(word.capitalize()) for word in terms}
    wrong = {
        word: (terms[word], said)
        for word, said in found.items()
        if said and terms[word] not in said and said not in terms[word]
    }
    assert wrong == {}
    assert sum(bool(said) for said in found.values()) > 40


@pytest.mark.django_db
def test_the_login_speaks_the_language_of_the_browser() -> None:
    english = Client().get("/admin/login/")
    chinese = Client(headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}).get("/admin/login/")
    assert "Log in" in english.text
    assert 'lang="en"' in english.text
    assert "登录" in chinese.text
    assert 'lang="zh-hans"' in chinese.text
    assert "Log in" not in chinese.text


@pytest.mark.django_db
def test_the_choice_of_the_menu_outlives_the_language_of_the_browser(admin_client: Client) -> None:
    answer = admin_client.post("/language/", {"language": "zh-hans", "next": "/admin/"})
    assert answer.headers["Location"] == "/admin/"
    assert 'lang="zh-hans"' in admin_client.get("/admin/", headers={"Accept-Language": "en"}).text
    admin_client.post("/language/", {"language": "en", "next": "/admin/"})
    assert 'lang="en"' in admin_client.get("/admin/", headers={"Accept-Language": "zh-CN"}).text


@pytest.mark.django_db
def test_a_program_is_answered_in_english() -> None:
    answer = Client(headers={"Accept-Language": "zh-CN"}).get("/api/v1/configs")
    assert answer.status_code == 401
    assert not re.search("[\u4e00-\u9fff]", answer.text)
    assert "Content-Language" not in answer.headers
    assert translation.get_language() == "en"
