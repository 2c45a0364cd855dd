"""Finds secrets in texts, so that they are not stored: the history of configurations keeps everything.

`${NAME}` stands for a variable of the environment and is never a secret itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

from traders.schema import tokens
from traders.schema.messages import TranslatableText, _

_SHORTEST = 12
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}|\$[A-Z_][A-Z0-9_]*")

# For each kind: words of which the text must have one, and the expression. Most texts have none of the words, so the
# expression is not tried. Each lookbehind has the characters of the body, so that a text is searched once and not once
# for each character.
_CERTAIN = {
    kind: (triggers, re.compile(pattern))
    for kind, triggers, pattern in (
        (
            _("a private key in PEM form"),
            ("-----BEGIN",),
            r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----",
        ),
        (_("an API key (sk-...)"), ("sk-",), r"(?<![A-Za-z0-9_-])sk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}"),
        (_("a Stripe key"), ("k_live_", "k_test_"), r"(?<![A-Za-z0-9_])[sr]k_(?:live|test)_[A-Za-z0-9]{10,}"),
        (_("an AWS access key"), ("AKIA", "ASIA"), r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
        (
            _("a GitHub token"),
            ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
            r"(?<![A-Za-z0-9_])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
        ),
        (_("a GitLab token"), ("glpat-",), r"(?<![A-Za-z0-9_])glpat-[A-Za-z0-9_-]{16,}"),
        (_("a Slack token"), ("xox", "xapp-"), r"(?<![A-Za-z0-9-])(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}"),
        (_("a Google API key"), ("AIza",), r"(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35}"),
        (_("a Hugging Face token"), ("hf_",), r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{30,}"),
        (
            _("an API token (nof0_...)"),
            (tokens.PREFIX,),
            rf"(?<![A-Za-z0-9]){tokens.PREFIX}[A-Za-z0-9_-]{{{tokens.RANDOM_CHARACTERS},}}",
        ),
        # It begins with digits, so the body after the colon is searched first.
        (_("a Telegram bot token"), (), r"(?<![0-9])[0-9]{8,10}:[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
        (_("a JSON Web Token"), ("eyJ",), r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
        (
            _("a private key (0x and 64 hex digits)"),
            ("0x", "0X"),
            r"(?<![A-Za-z0-9])0[xX][0-9A-Fa-f]{64}(?![A-Za-z0-9])",
        ),
    )
}
_TELEGRAM_BODY = re.compile(r":[A-Za-z0-9_-]{35}")

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s\"'<>`]+")
_USERINFO = re.compile(r"[^:]+://([^/?#@]*)@")
_PARAMETER = re.compile(
    r"[?&;#](?:[A-Za-z0-9_.-]{0,40}[_.-])?"
    r"(?:token|key|apikey|accesstoken|secret|signature|sig|password|passwd|pwd|auth)=[^&;#]",
    re.IGNORECASE,
)
_WEBHOOK = re.compile(
    r"://(?:[\w.-]{0,100}\.)?(?:"
    r"hooks\.slack\.com/(?:services|workflows|triggers)/\w+"
    r"|discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d+/[\w-]+"
    r"|api\.telegram\.org/bot[\w:-]+"
    r"|webhook\.office\.com/webhook\w*/[\w@-]+|outlook\.office(?:365)?\.com/webhook/[\w@-]+"
    r"|hooks\.zapier\.com/hooks/\w+/\w+|maker\.ifttt\.com/trigger/[\w-]+/(?:json/)?with/key/\w+"
    r"|open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/\w+"
    r"|(?:events\.pagerduty\.com/integration|discord\.gg/webhook)/\w+"
    r")",
    re.IGNORECASE,
)

_RUN = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
_HEX = re.compile(r"(?:0[xX])?[0-9A-Fa-f]+")  # digests and wallet addresses are public

_SECRET_WORDS = frozenset(
    {"token", "secret", "password", "passwd", "passphrase", "apikey", "apisecret", "privatekey", "secretkey"}
    | {"mnemonic", "credential", "credentials", "authorization", "cookie"}
)
_SECRET_KEYS = frozenset({"api", "private", "secret", "access", "signing", "auth", "encryption", "account", "master"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@lru_cache(maxsize=8192)
def find_secret(text: str, *, prose: bool = False) -> TranslatableText | None:
    """The kind of secret that `text` holds (`a GitHub token`), or None.

    `prose`: a long text written by people, such as a prompt; there only unmistakable forms count, and no
    random-looking runs of characters.
    """
    if len(text) < _SHORTEST:
        return None
    literal = _VARIABLE.sub("", text) if "$" in text else text
    if found := min(find_certain(literal), default=None):
        return found[2]
    if "://" in literal:
        for url in _URL.finditer(literal):
            if kind := _in_url(url.group()):
                return kind
    if not prose and any(map(_is_random, _RUN.findall(literal))):
        return _("a random key")
    return None


def find_certain(text: str) -> Iterator[tuple[int, int, TranslatableText]]:
    """(start, end, kind) of every unmistakable secret, kind by kind."""
    # Each text of each report comes here: a generator for each kind would take longer than the looking.
    for kind, (triggers, pattern) in _CERTAIN.items():
        for trigger in triggers:
            if trigger in text:
                break
        else:
            if triggers or not _TELEGRAM_BODY.search(text):
                continue
        for match in pattern.finditer(text):
            yield match.start(), match.end(), kind


def urls_in(text: str) -> Iterator[tuple[int, str]]:
    """(start, URL) of each URL."""
    return ((match.start(), match.group()) for match in _URL.finditer(text))


def secrets_of_url(url: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of the secrets in a URL: a login before the @, a token, or the path of a webhook."""
    if (userinfo := _USERINFO.match(url)) and userinfo[1]:
        yield *userinfo.span(1), "a login in a URL"
    if webhook := _WEBHOOK.search(url):
        yield webhook.start() + len("://"), len(url), "a webhook's address"
    for parameter in _PARAMETER.finditer(url):
        begin = parameter.end() - 1
        end = re.compile(r"[&;#]|$").search(url, begin)
        yield begin, end.start() if end else len(url), "a token in a URL"


def secrets_in(value: Any, path: str) -> Iterator[tuple[str, TranslatableText]]:
    """(dotted path, kind of secret) for every text below `value`, keys and values, JSON-like nesting."""
    if isinstance(value, str):
        if kind := find_secret(value):
            yield path, kind
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str):
                yield from _secrets_at(key, item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from secrets_in(item, f"{path}.{number}")


def _secrets_at(key: str, value: Any, path: str) -> Iterator[tuple[str, TranslatableText]]:
    if kind := find_secret(key):
        yield path.removesuffix(key).removesuffix("."), kind
    elif _is_literal(value) and names_a_secret(key):
        yield path, _("the value of %(key)s", key=key)
    else:
        yield from secrets_in(value, path)


@lru_cache(maxsize=1024)
def names_a_secret(key: str) -> bool:
    """Whether a key such as `api_key`, `botToken` or `db-password` announces a secret; `max_tokens` does not."""
    words = [word.lower() for word in _WORD.findall(key)]
    if not words:
        return False
    return words[-1] in _SECRET_WORDS or (words[-1] == "key" and len(words) > 1 and words[-2] in _SECRET_KEYS)


def _is_literal(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_is_literal, value))
    if isinstance(value, str):
        return bool(_VARIABLE.sub("", value).strip())
    return isinstance(value, int) and not isinstance(value, bool)


def _in_url(url: str) -> TranslatableText | None:
    if userinfo := _USERINFO.match(url):
        name, colon, password = userinfo[1].partition(":")
        if password or (name and not colon):
            return _("a URL with a name or password before the @")
    if _WEBHOOK.search(url):
        return _("a webhook's address")
    return _("a URL with a token") if _PARAMETER.search(url) else None


def _is_random(run: str) -> bool:
    """Whether upper case, lower case and digits alternate often: they do in keys, not in names and paths."""
    if _HEX.fullmatch(run) or {0, 1, 2} - set(map(_class_of, run)):
        return False
    pairs = [(a, b) for a, b in pairwise(run) if a.isalnum() and b.isalnum()]
    changes = sum(_class_of(a) != _class_of(b) for a, b in pairs)
    return len(pairs) >= 20 and changes >= 0.45 * len(pairs)


def _class_of(character: str) -> int:
    return 0 if character.isupper() else 1 if character.islower() else 2 if character.isdigit() else 3
