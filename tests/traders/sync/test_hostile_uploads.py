"""Odd values in every line of an uploaded manager.yaml, and odd bundles: refused in words, never a failure."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.factories import make_trader, sync_traders
from tests.traders.admin.browsing import TRADERS, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fleet")]

URL = f"{TRADERS}upload/"
ODD = (
    *(r'"a\0b"', r'"\uD800"', r'"\U0010FFFF"', r'"\e[31m"', r'"\u202e"', "9" * 5000, "1e400", ".nan", "-.inf", "~"),
    *(
        '"' + "x" * 70_000 + '"',
        "[" * 900 + "]" * 900,
        "{a: " * 900 + "1" + "}" * 900,
        "!!binary /w==",
        "&a [*a]",
        "<<: 1",
    ),
    *(
        "2026-99-99",
        "!!python/object:os.system x",
        '"${X}"',
        "'\\\\?\\C:\\x'",
        "/dev/stdin",
        '"../../x.tmpl"',
        '"."',
        '""',
    ),
)


def upload(client: Client, content: bytes, name: str = "manager.yaml") -> Any:
    return client.post(URL, {"file": SimpleUploadedFile(name, content), "step": "plan"})


def exported(client: Client) -> bytes:
    with ZipFile(BytesIO(client.get(f"{TRADERS}download/").content)) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/manager.yaml"))
        return archive.read(name)


@pytest.mark.parametrize("odd", [r'"prompts/a\0b.tmpl"', r'"prompts/\uD800.tmpl"', r'"prompts/\e.tmpl"'])
def test_a_prompts_path_with_a_character_that_no_file_has_is_a_problem_of_its_line(editor: Client, odd: str) -> None:
    content = re.sub(rb"(prompt_template): .*", lambda found: found[1] + b": " + odd.encode(), exported(editor))

    page = upload(editor, content)

    assert page.status_code == 200
    # libyaml itself refuses half of a surrogate pair.
    assert re.search(r"without the character U\+|is not YAML", text_of(page))


@pytest.mark.faults
def test_odd_values_in_every_line_are_refused_or_taken(editor: Client) -> None:
    editor.raise_request_exception = False
    lines = exported(editor).decode().splitlines()
    failed = []
    for number, line in enumerate(lines):
        key, colon, _value = line.partition(": ")
        for odd in ODD if colon else ():
            changed = "\n".join([*lines[:number], f"{key}: {odd}", *lines[number + 1 :]])
            if upload(editor, changed.encode()).status_code >= 500:
                failed.append(f"{key}: {odd[:60]}")
    assert failed == []


def test_odd_files_and_bundles_are_refused(editor: Client) -> None:
    editor.raise_request_exception = False
    yaml = exported(editor)
    bundles = []
    for name in ("manager.yaml", "a\0b/manager.yaml", "../manager.yaml", "/manager.yaml", "x" * 5000, "\u202e.yaml"):
        made = BytesIO()
        with ZipFile(made, "w") as archive:
            archive.writestr(name, yaml)
            archive.writestr("prompts/\ufffd.tmpl", b"\xff\xfe")
        bundles.append(made.getvalue())
    odd = [b"", b"\0", b"\xff\xfe\0", b"PK\x03\x04", bundles[0][:-10], b"PK\x05\x06" + bytes(18), b"[" * 100_000]
    for content in [*bundles, *odd, b"a: " * 1000, b"- " * 10_000, yaml + b"\n\xff", yaml.replace(b": ", b":\t")]:
        assert upload(editor, content).status_code < 500, content[:40]


def test_odd_extension_keys_of_a_form_are_a_problem_of_their_field(editor: Client) -> None:
    sync_traders(make_trader())
    editor.raise_request_exception = False
    for odd in (
        '{"a":' * 900 + "1" + "}" * 900,
        "[" * 100_000,
        '{"a": ' + "9" * 5000 + "}",
        '{"a": 1e400}',
        '"\\ud800"',
    ):
        page = editor.post(
            f"{TRADERS}steady_long/change/",
            {"step": "preview", "version": "1", "detail.extra": odd, "extra": odd, "reason": "x"},
        )
        assert page.status_code < 500, odd[:40]
