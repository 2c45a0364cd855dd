"""Secrets are taken out of reported texts; everything else stays to the letter."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from traders.schema import tokens
from traders.schema.redaction import (
    PLACEHOLDER,
    _names_a_value,
    redact,
    redact_part,
    redactions_in,
    was_redacted,
)
from traders.schema.runtime import LastError, Pause, ReportDetail
from trading.schema.common import Origin
from trading.schema.decision import DecisionDetail, ModelAnswer, Prompt

HEX = "0f" * 32
API_KEY = "sk-" + "a1B2c3D4" * 4
SECRETS = {
    "API key": API_KEY,
    "API token": tokens.PREFIX + "x" * tokens.RANDOM_CHARACTERS,
    "GitHub token": "ghp_" + "Ab3" * 12,
    "AWS access key": "AKIA" + "ABCDEFGH12345678",
    "JSON Web Token": "eyJ" + "a" * 12 + "." + "b" * 12 + "." + "c" * 12,
    "private key in PEM form": "-----BEGIN PRIVATE KEY-----\nMIIEv\nAIBADAN\n-----END PRIVATE KEY-----",
}


def mark(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("around", ["{}", "It said: {} and went on.", '{{"error": "{}"}}', "a\n{}\nb", "用 {}。"])
def test_a_secret_is_replaced_by_its_kind_and_mark(kind: str, around: str) -> None:
    secret = SECRETS[kind]
    text, kinds = redact(around.format(secret), mark)
    assert text == around.format(f"[redacted: {kind}, mark {mark(secret)}]")
    assert len(kinds) == 1


@pytest.mark.parametrize("hidden", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u0301", "\x7f"])
def test_a_key_that_invisible_characters_split_is_found_and_has_the_same_mark(hidden: str) -> None:
    split = hidden.join(API_KEY)
    assert redact(f"key {split}.", mark)[0] == f"key [redacted: API key, mark {mark(API_KEY)}]."


NAME_OF_VALUE = re.compile(
    r"pass(?:word|wd|phrase)|pwd|secret|(?:api|private|access)[ _-]?key|(?:access|auth|bot)[ _-]?token"
)
PARTS = (
    "api",
    "private",
    "access",
    "auth",
    "bot",
    "key",
    "token",
    "pass",
    "word",
    "wd",
    "pwd",
    "secret",
    " ",
    "_",
    "x",
)


@given(st.lists(st.sampled_from([*PARTS, "phrase", "-", "api_key", "bot token"]), max_size=8).map("".join))
def test_the_quick_look_for_names_of_secrets_misses_none(text: str) -> None:
    assert _names_a_value(text) == bool(NAME_OF_VALUE.search(text))


def test_a_row_of_numbers_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def look(name: str, value: object, *_: object) -> object:
        looked.append(name)
        return value

    monkeypatch.setattr("traders.schema.redaction._item", look)
    row = {"price": Decimal("1.5"), "quantity": 2, "is_new": True, "note": "none", "left": None}
    assert redact_part(row, mark)[0] is row
    assert looked == ["note"]


def test_a_key_in_full_width_letters_is_found() -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in API_KEY)
    assert redact(wide, mark)[0] == f"[redacted: API key, mark {mark(API_KEY)}]"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("password=hunter2", "password="),
        ('{"password": "hunter2!"}', '{"password": "'),
        (r"{\"api_key\": \"Zx81Qa\"}", r"{\"api_key\": \""),
        ("DB_PASSWORD='hunter2'", "DB_PASSWORD='"),
        ("client_secret: abc12345", "client_secret: "),
        ("secret：p4ssw0rd", "secret："),
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer "),
        ("authorization: basic dXNlcjpwYXNz", "authorization: basic "),
        (f"the private key is {HEX}", "the private key is "),
        (f"wallet 0x{HEX}", "wallet "),
        (f"PRIV_KEY={HEX}", "PRIV_KEY="),
        ("postgresql://desk:hunter2@db/nof0", "postgresql://"),
        ("https://x.example/a?token=abc", "https://x.example/a?token="),
        ("seed phrase: " + "abandon " * 11 + "about", "seed phrase: "),
    ],
)
def test_a_value_that_words_beside_it_announce_is_a_secret(text: str, left: str) -> None:
    changed, kinds = redact(text, mark)
    assert kinds
    assert changed.startswith(f"{left}[redacted: ")


@pytest.mark.parametrize(
    "text",
    [
        f"sha256 {HEX}",
        f"transaction 0x{HEX} was mined",
        f"public key {HEX}",
        f"order {HEX} filled",
        "The key: support at 64,000. The secret: sell late.",
        "password: ${DB_PASSWORD}",
        "max_tokens=4096, tokens: 1500",
        "Bearer of bad news",
        "https://example.com/trade?symbol=BTC&side=long",
        "risk-adjusted sk-ip",
        "monkey = banana; keyboard: qwertz12",
        "",
    ],
)
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text, mark) == (text, ())


@given(before=st.text(max_size=60), after=st.text(max_size=60), kind=st.sampled_from(sorted(SECRETS)))
def test_no_secret_is_left_wherever_it_stands_and_again_changes_nothing(before: str, after: str, kind: str) -> None:
    secret = SECRETS[kind]
    text, kinds = redact(f"{before} {secret} {after}", mark)
    assert kinds
    assert secret not in text
    assert redact(text, mark) == (text, ())


@given(st.text())
def test_any_text_is_searched_and_only_placeholders_are_put_in(text: str) -> None:
    changed, kinds = redact(text, mark)
    assert len(PLACEHOLDER.findall(changed)) - len(PLACEHOLDER.findall(text)) == len(kinds)


def test_free_texts_of_a_record_are_searched_and_identifiers_are_not() -> None:
    detail = DecisionDetail(
        prompt=Prompt(template_sha256=HEX, digest=f"key {HEX}", user_text=f"key {HEX}"),
        answer=ModelAnswer(model="m", text=API_KEY, reasoning="fine"),
        error="password=hunter2",
        origin=Origin(
            system="api", key=f"key {HEX}", fields={"tx_hash": f"0x{HEX}", "api_key": "plain", "note": API_KEY}
        ),
    )
    clean, found = redact_part(detail, mark)
    assert [one.path for one in found] == [
        "detail.prompt.user_text",
        "detail.answer.text",
        "detail.error",
        "detail.origin.fields.api_key",
        "detail.origin.fields.note",
    ]
    assert clean.prompt is not None
    assert clean.origin is not None
    assert clean.origin.fields is not None
    assert (clean.prompt.template_sha256, clean.prompt.digest) == (HEX, f"key {HEX}")
    assert (clean.origin.key, clean.origin.fields["tx_hash"]) == (f"key {HEX}", f"0x{HEX}")
    assert list(redactions_in(clean)) == [one.path for one in found]
    assert was_redacted(clean.error)


def test_a_record_without_secrets_is_the_same_object() -> None:
    detail = DecisionDetail(answer=ModelAnswer(text="hold"), decisions=())
    assert redact_part(detail, mark)[0] is detail


def test_a_report_of_an_engine_is_searched() -> None:
    report = ReportDetail(pause=Pause(reason=API_KEY), last_error=LastError(message=f"401: Bearer {API_KEY}"))
    clean, found = redact_part(report, mark)
    assert [one.path for one in found] == ["detail.pause.reason", "detail.last_error.message"]
    assert API_KEY not in str(clean)


def test_every_field_that_may_hold_a_text_is_searched() -> None:
    class Leaf(BaseModel):
        amount: Decimal | None = None
        said: str | None = None

    class Counted(BaseModel):
        amounts: tuple[Decimal, ...] = ()

    class Whole(BaseModel):
        leaves: tuple[Leaf, ...] = ()
        named: dict[str, Any] | None = None
        anything: Any = None
        either: int | str = 0
        counted: Counted | None = None

    key = "sk-abcdefghij0123456789abcdefghij"
    whole = Whole(leaves=(Leaf(amount=Decimal(1), said=key),), named={"a": [key]}, anything=key, either=key)

    changed, found = redact_part(whole, lambda secret: "0" * 8)

    assert [one.path for one in found] == [
        "detail.leaves[0].said",
        "detail.named.a[0]",
        "detail.anything",
        "detail.either",
    ]
    assert key not in changed.model_dump_json()
