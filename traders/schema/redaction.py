"""Secrets taken out of the texts that programs report, so that the record and the public documents never show one.

A configuration with a secret is refused. A report is not: refusing it would lose the record of what happened. Each
secret is replaced by `[redacted: KIND, mark MARK]`. The mark is a keyed digest of the secret: the same secret has the
same mark, and a guess can be tested against it only with the key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from traders.schema.secrets import find_certain, names_a_secret, secrets_of_url, urls_in

Part = TypeVar("Part")

Mark = Callable[[str], str]
"""A secret -> 8 hex digits that only the holder of the key can compute."""

PLACEHOLDER = re.compile(r"\[redacted: [^\[\],]{1,60}, mark [0-9a-f]{8}\]")

# Fields of a source that hold identifiers: digests and numbers of exchanges, never secrets.
_IDENTIFIERS = re.compile(r"(?:^|_)(?:id|oid|tid|sha256|digest|hash|symbol)$", re.IGNORECASE)
_NAMED_VALUE = "a password or key"
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{0,60}PRIVATE KEY(?: BLOCK)?-----")
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}|\$[A-Z_][A-Z0-9_]*")
_PEM = "a private key in PEM form"

# A name that announces a secret, and the value behind it. Quotes and escapes of JSON may stand between them.
_ASSIGNED = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z0-9]{1,20}[_-]){0,3}"
    r"(?:password|passwd|passphrase|pwd|secret|api[ _-]?key|api[ _-]?secret|secret[ _-]?key|private[ _-]?key"
    r"|access[ _-]?key|access[ _-]?token|auth[ _-]?token|bot[ _-]?token|client[ _-]?secret)"
    r"[\\\"'`*]{0,4}\s{0,3}(?:=|:)(?P<gap>\s{0,3})[\\\"'`*]{0,4}"
    r"(?P<value>[^\s\"'`<>,;(){}\[\]\\]{4,})",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?<![A-Za-z])Bearer[\s:]{1,3}(?P<value>[A-Za-z0-9._~+/=-]{8,})", re.IGNORECASE)
_BASIC = re.compile(r"Authorization[\"'\s:=]{1,6}Basic\s{1,3}(?P<value>[A-Za-z0-9+/=]{8,})", re.IGNORECASE)
_MNEMONIC = re.compile(
    r"(?:mnemonic|seed phrase|recovery phrase|secret phrase)\W{1,8}(?:\w+\W{1,4}){0,3}?"
    r"(?P<value>(?:[a-z]{3,8}[ ,]{1,2}){11,23}[a-z]{3,8})",
    re.IGNORECASE,
)
# The name of each, its expression, and words of which a text in lower case must hold one to be searched with it.
_NAMED = (
    (_NAMED_VALUE, _ASSIGNED, ("pass", "pwd", "secret", "key", "token")),
    ("a bearer token", _BEARER, ("bearer",)),
    ("a login", _BASIC, ("authorization",)),
    ("a seed phrase", _MNEMONIC, ("mnemonic", "phrase")),
)
# What a text must hold besides, to be searched for an assigned value: `key` and `token` alone stand in most prompts.
# The expressions begin with the word that is rare, which is found several times as fast as one of many beginnings.
_NAMES_OF_VALUES = ("password", "passwd", "passphrase", "pwd", "secret")
_ENDS_OF_NAMES = tuple(
    re.compile(end + "(?:" + "|".join(f"(?<={begin}{gap}{end})" for begin in begins for gap in ("", "[ _-]")) + ")")
    for end, begins in (("key", ("api", "private", "access")), ("token", ("access", "auth", "bot")))
)
# Transaction hashes and digests have 64 hex digits too, so the digits alone are no secret: a word beside them says so.
_HEX_64 = re.compile(r"(?<![A-Za-z0-9])(?:0[xX])?[0-9A-Fa-f]{64}(?![A-Za-z0-9])")
_HEX_DIGITS = 64
_KEY_WORDS = ("key", "secret", "priv", "seed", "wallet")
_KEY_WORD = re.compile(r"(?<![a-z])(?:keys?|secrets?|private|priv|privkey|seed|wallet)(?![a-z])", re.IGNORECASE)
_NOT_A_KEY = re.compile(r"(?<![a-z])(?:public|pub)[ _-]?key(?![a-z])", re.IGNORECASE)
_SHORTEST_WORD_THAT_IS_A_PASSWORD = 8
_BESIDE_BEFORE, _BESIDE_AFTER = 40, 16
# Most leaves of a record: to ask whether one is a model or a mapping takes longer than all else.
_WITHOUT_TEXT = frozenset({NoneType, bool, int, float, Decimal})
# Names of providers, symbols and programs, which most records repeat.
_SHORT = 40
_HEX_KINDS = frozenset({"a private key (0x and 64 hex digits)"})


@dataclass(frozen=True, slots=True)
class Redaction:
    """`path` is dotted, with [n] for items of lists; `kind` names what was redacted (`an API key (sk-...)`)."""

    path: str
    kind: str


def redact(text: str, mark: Mark) -> tuple[str, tuple[str, ...]]:
    """(the text without its secrets, the kind of each). A text without secrets is returned as the same object."""
    if len(text) <= _SHORT and _is_clean(text):
        return text, ()
    found = _merged(_secrets(text))
    if not found:
        return text, ()
    parts, at = [], 0
    for start, end, kind in found:
        parts += [text[at:start], _placeholder(kind, mark(_visible(text[start:end])[0]))]
        at = end
    return "".join([*parts, text[at:]]), tuple(kind for _, _, kind in found)


def redact_part(part: Part, mark: Mark, path: str = "detail") -> tuple[Part, tuple[Redaction, ...]]:
    """A record's part, or a list or mapping below it, without the secrets of its free texts.

    Free texts are leaves of type str that are neither identifiers nor words of a fixed list.
    """
    found: list[Redaction] = []
    changed = _walked(part, mark, path, found)
    return changed, tuple(found)


def was_redacted(text: str | None) -> bool:
    return text is not None and PLACEHOLDER.search(text) is not None


def redactions_in(value: Any, path: str = "detail") -> Iterator[str]:
    """The path of each text in a stored record, once for each secret that was redacted in it."""
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in type(value).model_fields}
    if isinstance(value, str):
        yield from (path for _ in PLACEHOLDER.finditer(value))
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from redactions_in(item, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from redactions_in(item, f"{path}[{place}]")


def _walked(value: Any, mark: Mark, path: str, found: list[Redaction]) -> Any:
    """The same object if nothing was found."""
    if type(value) in _WITHOUT_TEXT:
        return value
    if isinstance(value, BaseModel):
        changes = {}
        for name in _searched(type(value)):
            before = getattr(value, name)
            if type(before) in _WITHOUT_TEXT:
                continue
            after = _walked(before, mark, f"{path}.{name}", found)
            if after is not before:
                changes[name] = after
        return value.model_copy(update=changes) if changes else value
    # Words of a fixed list have classes of their own and are not searched.
    if type(value) is str:
        text, kinds = redact(value, mark)
        found += [Redaction(path, kind) for kind in kinds]
        return text
    if isinstance(value, Mapping):
        # Most values of a published row are numbers: their names are not looked at.
        changed = {
            name: after
            for name, item in value.items()
            if type(item) not in _WITHOUT_TEXT
            and (after := _item(str(name), item, mark, f"{path}.{name}", found)) is not item
        }
        return {**value, **changed} if changed else value
    if isinstance(value, list | tuple):
        walked = [_walked(item, mark, f"{path}[{place}]", found) for place, item in enumerate(value)]
        is_same = all(after is before for after, before in zip(walked, value, strict=True))
        return value if is_same else type(value)(walked)
    return value


def _item(name: str, value: Any, mark: Mark, path: str, found: list[Redaction]) -> Any:
    """A field of a source, which no declaration describes."""
    if _names_an_identifier(name):
        return value
    if type(value) is str and names_a_secret(name) and _without_variables(PLACEHOLDER.sub("", value)).strip():
        found.append(Redaction(path, _NAMED_VALUE))
        return _placeholder(_NAMED_VALUE, mark(_visible(value)[0]))
    return _walked(value, mark, path, found)


@lru_cache(maxsize=1024)
def _names_an_identifier(name: str) -> bool:
    return _IDENTIFIERS.search(name) is not None


@cache
def _searched(kind: type[BaseModel]) -> tuple[str, ...]:
    """The fields that may hold free texts, in themselves or in what lies below them."""
    return tuple(
        name
        for name, field in kind.model_fields.items()
        if not _is_identifier(field.json_schema_extra) and _may_hold_text(field.annotation)
    )


def _may_hold_text(annotation: Any) -> bool:
    """False only where every type that is named is known to hold none."""
    if annotation in _WITHOUT_TEXT or annotation is Ellipsis:
        return False
    if isinstance(annotation, type) and not get_args(annotation):
        if issubclass(annotation, BaseModel):
            return annotation.model_config.get("extra") == "allow" or bool(_searched(annotation))
        return not issubclass(annotation, Enum)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _may_hold_text(arguments[0])
    if origin in (Union, UnionType, tuple, list):
        return any(map(_may_hold_text, arguments))
    return True


def _is_identifier(declared: Any) -> bool:
    return isinstance(declared, dict) and str(declared.get("kind")) == "identifier"


@lru_cache(maxsize=1024)
def _is_clean(text: str) -> bool:
    return next(_secrets(text), None) is None


def _secrets(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) in `text`, in any order; spans may overlap."""
    seen, places = _visible(text)
    literal = _without_variables(seen)
    for start, end, kind in _found_in(literal):
        yield (start, end, kind) if places is None else (places[start], places[end - 1] + 1, kind)


def _found_in(text: str) -> Iterator[tuple[int, int, str]]:
    known = [match.span() for match in PLACEHOLDER.finditer(text)] if "[redacted:" in text else []
    for start, end, kind in _candidates(text):
        if not any(start < after and before < end for before, after in known):
            yield start, end, kind


def _candidates(text: str) -> Iterator[tuple[int, int, str]]:
    for start, found_end, certain in find_certain(text):
        if certain in _HEX_KINDS:
            continue
        end = found_end
        if certain == _PEM:
            closing = _PEM_END.search(text, end)
            # A key that was cut off has no end mark: all the text after it may be part of it.
            end = closing.end() if closing else len(text)
        yield start, end, certain
    lowered = text.lower()
    for kind, pattern, words in _NAMED:
        for word in words:
            if word in lowered:
                break
        else:
            continue
        if pattern is not _ASSIGNED or _names_a_value(lowered):
            for match in pattern.finditer(text):
                if pattern is not _ASSIGNED or not _is_prose(match):
                    yield *match.span("value"), kind
    if len(text) >= _HEX_DIGITS and any(word in lowered for word in _KEY_WORDS):
        for match in _HEX_64.finditer(text):
            before = text[max(0, match.start() - _BESIDE_BEFORE) : match.start()]
            beside = f"{before} {text[match.end() : match.end() + _BESIDE_AFTER]}"
            if _KEY_WORD.search(_NOT_A_KEY.sub(" ", beside).replace("_", " ")):
                yield *match.span(), "a private key (64 hex digits)"
    if "://" in text:
        for at, url in urls_in(text):
            for start, end, kind in secrets_of_url(url):
                yield at + start, at + end, kind


def _names_a_value(lowered: str) -> bool:
    return any(word in lowered for word in _NAMES_OF_VALUES) or any(end.search(lowered) for end in _ENDS_OF_NAMES)


def _is_prose(match: re.Match[str]) -> bool:
    """Whether a sentence follows `secret: `, as in `the secret: sell late`."""
    value = match["value"].rstrip(".!?")
    return bool(match["gap"]) and len(value) < _SHORTEST_WORD_THAT_IS_A_PASSWORD and value.isalpha()


def _merged(spans: Iterator[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """The spans in order; overlapping ones become one, with the kind of the first."""
    merged: list[tuple[int, int, str]] = []
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if merged and start < merged[-1][1]:
            before = merged[-1]
            merged[-1] = (before[0], max(before[1], end), before[2])
        else:
            merged.append((start, end, kind))
    return merged


def _visible(text: str) -> tuple[str, list[int] | None]:
    """(the text as a person sees it, the place of each of its characters in `text`), None where it is the text itself.

    Characters without width can stand between any two of a key, and full-width letters look like plain ones.
    """
    if text.isascii() and "\x7f" not in text:
        return text, None
    plain = {character: _plain(character) for character in set(text)}
    if all(character == same for character, same in plain.items()):
        return text, None
    places = [place for place, character in enumerate(text) if plain[character]]
    return "".join([plain[character] for character in text]), places


@lru_cache(maxsize=8192)
def _plain(character: str) -> str:
    """The visible form of a character; empty if it has no width."""
    if unicodedata.category(character) in ("Cf", "Mn", "Me") or character == "\x7f":
        return ""
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 else character


def _without_variables(text: str) -> str:
    """`${NAME}` refers to a secret and is none. Blanks replace it, so that all other places stay the same."""
    return _VARIABLE.sub(lambda match: " " * len(match.group()), text) if "$" in text else text


def _placeholder(kind: str, mark: str) -> str:
    words = kind.partition(" (")[0].removeprefix("an ").removeprefix("a ")
    return f"[redacted: {words}, mark {mark}]"
