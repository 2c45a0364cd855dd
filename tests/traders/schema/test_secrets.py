"""What is taken for a secret, and what is not."""

from __future__ import annotations

import base64
import hashlib
import random

import pytest

from traders.schema.secrets import find_secret, names_a_secret, secrets_in
from traders.schema.tokens import new_text

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("sk-proj-abcdEFGH1234567890ijkl", "an API key (sk-...)"),
        ("sk-ant-api03-abcdEFGH1234567890", "an API key (sk-...)"),
        ("sk_" + "live_abcdEFGH1234567890", "a Stripe key"),
        ("AKIAIOSFODNN7EXAMPLE", "an AWS access key"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "a GitHub token"),
        ("github_pat_11ABCDEFG0abcdefghijkl", "a GitHub token"),
        ("glpat-abcdefghij0123456789", "a GitLab token"),
        ("xoxb-123456789012-abcdefghij", "a Slack token"),
        ("AIza" + "SyA-1234567890abcdefghijklmnopqrstuv", "a Google API key"),
        ("nof0_" + "-" * 20 + "aB3_" * 5 + "xyz", "an API token (nof0_...)"),
        ("TOKEN=nof0_" + "k" * 43 + "_old", "an API token (nof0_...)"),
        (JWT, "a JSON Web Token"),
        ("Bearer " + JWT, "a JSON Web Token"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "a private key in PEM form"),
        ("-----BEGIN PRIVATE KEY-----", "a private key in PEM form"),
        ("0x" + "4c0883a6" * 8, "a private key (0x and 64 hex digits)"),
        ("123456789:AAE" + "abcdefghijklmnopqrstuvwxyz012345", "a Telegram bot token"),
        ("redis://:hunter22@cache:6379/0", "a URL with a name or password before the @"),
        ("https://token@example.org/x", "a URL with a name or password before the @"),
        ("https://example.org/hook?access_token=abc", "a URL with a token"),
        ("https://example.org/?a=1&X-Amz-Signature=abc", "a URL with a token"),
        ("https://example.org/#api_key=abc", "a URL with a token"),
        ("https://hooks.slack.com/services/T000/B000/abc", "a webhook's address"),
        ("https://discord.com/api/webhooks/1234/abc-def", "a webhook's address"),
        ("https://discordapp.com/api/v10/webhooks/1234/abc", "a webhook's address"),
        ("https://desk.webhook.office.com/webhookb2/abc", "a webhook's address"),
        ("https://api.telegram.org/bot12:abc/sendMessage", "a webhook's address"),
        ("see https://x.org and https://a:b@y.org", "a URL with a name or password before the @"),
    ],
)
def test_secrets_of_known_forms(text: str, kind: str) -> None:
    assert find_secret(text) == kind
    assert find_secret(f"Some prose before.\n{text}\nand after.", prose=True) == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Aggressive Short",
        "prompts/manager/aggressive_short.tmpl",
        "../data/manager_state.json",
        "anthropic/claude-sonnet-4.5",
        "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        "accounts/fireworks/models/Llama-4-Maverick-17B-128E-Instruct-FP8",
        "Qwen/Qwen3-235B-A22B-Instruct-2507",
        "VeryLongStrategyNameForTheWholeFleet2025",
        hashlib.sha256(b"prompt").hexdigest(),
        "sha256:" + hashlib.sha256(b"prompt").hexdigest(),
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "7f1de6b0-3c1c-4d5e-9d39-0a7c2c8ce9aa",
        "${OPENAI_API_KEY}",
        "$ALERT_WEBHOOK",
        "https://hooks.slack.com/services/${SLACK_PATH}",
        "https://example.org/hook?token=${TOKEN}",
        "postgres://desk:${PASSWORD}@db/desk",
        "https://example.org/docs?page=2#tokens",
        "mailto:desk@example.org",
        "risk-adjusted-returns-over-20-days",
        "nof0_" + "k" * 42,
        "info0_momentum_and_" + "k" * 43,
        "a task-based-plan-with-12-steps-in-it",
    ],
)
def test_ordinary_texts_are_no_secrets(text: str) -> None:
    assert find_secret(text) is None


def test_random_keys_are_found_in_values_but_not_in_prose() -> None:
    made = random.Random(7)
    keys = [base64.b64encode(made.randbytes(30)).decode() for _ in range(200)]
    found = [key for key in keys if find_secret(key)]
    assert len(found) > 150
    assert not any(find_secret(f"the key {key}", prose=True) for key in keys)


def test_each_token_of_this_system_is_found() -> None:
    tokens = [new_text() for _ in range(200)]
    assert {find_secret(f"It uses {token}.", prose=True) for token in tokens} == {"an API token (nof0_...)"}
    assert {find_secret(f"Authorization: Bearer {token}") for token in tokens} == {"an API token (nof0_...)"}


@pytest.mark.parametrize(
    "key", ["api_key", "apiKey", "API-KEY", "secret", "bot_token", "dbPassword", "private_key", "credentials", "apikey"]
)
def test_keys_that_announce_a_secret(key: str) -> None:
    assert names_a_secret(key)


@pytest.mark.parametrize("key", ["max_tokens", "token_limit", "key", "sort_key", "tokens", "monkey", "secretary", "x"])
def test_keys_that_do_not(key: str) -> None:
    assert not names_a_secret(key)


def test_secrets_are_found_anywhere_below() -> None:
    value = {
        "api_key": "hunter2",
        "password": 12345,
        "token": "${TOKEN}",
        "secret": "",
        "require_token": True,
        "deep": [{"tokens": ["x"], "passwords": {"password": ["a"]}}, "xoxb-123456789012-abcdefghij"],
        "AKIAIOSFODNN7EXAMPLE": 1,
    }
    assert list(secrets_in(value, "extra")) == [
        ("extra.api_key", "the value of api_key"),
        ("extra.password", "the value of password"),
        ("extra.deep.0.passwords.password", "the value of password"),
        ("extra.deep.1", "a Slack token"),
        ("extra", "an AWS access key"),
    ]


@pytest.mark.parametrize(
    "part", ["sk-", "eyJ-", "xoxb-", "https://", "://", "ghp_", "nof0_", "nof0_.", "0x", "a" * 24, "-----BEGIN "]
)
def test_a_megabyte_of_anything_takes_no_time(part: str) -> None:
    find_secret.__wrapped__(part * (1_000_000 // len(part)), prose=True)
