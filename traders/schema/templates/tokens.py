"""A template cut into texts and actions, and an action into tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from traders.schema.messages import MessageError, TranslatableText, _

_QUOTED = r"\"(?:\\.|[^\"\\\n])*\"|`[^`]*`|'(?:\\.|[^'\\\n])*'"
# A comment fills its action. A minus with a space cuts the white space on its side.
_ACTION = re.compile(
    rf"\{{\{{(?P<left>-(?=\s))?(?:\s*/\*(?P<comment>.*?)\*/\s*?|(?P<body>(?:{_QUOTED}|(?!\}}\}}|\{{\{{).)*?))"
    r"(?P<right>(?<=\s)-)?\}\}",
    re.DOTALL,
)
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+)
    | (?P<text>{_QUOTED})
    | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))
    | (?P<field>\.[A-Za-z_]\w*)
    | (?P<variable>\$\w*)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<sign>:=|[.=|(),])
    """,
    re.VERBOSE,
)


class TemplateFailed(MessageError):
    """A template that cannot be parsed or rendered. The text begins with its line."""


def failed(line: int, message: TranslatableText) -> TemplateFailed:
    return TemplateFailed(_("line %(line)s: %(message)s", line=line, message=message))


class TemplateTokenKind(Enum):
    TEXT = auto()
    NUMBER = auto()
    FIELD = auto()  # .Name, of what stands before it, or of the dot
    VARIABLE = auto()
    WORD = auto()
    SIGN = auto()


@dataclass(frozen=True, slots=True)
class TemplateToken:
    """`follows`: it stands directly behind the token before it, without a space between them."""

    kind: TemplateTokenKind
    value: str
    follows: bool = False


@dataclass(frozen=True, slots=True)
class ActionTokens:
    """What stands between `{{` and `}}`; `line` counts from 1."""

    line: int
    tokens: tuple[TemplateToken, ...]

    @property
    def keyword(self) -> str:
        first = self.tokens[0]
        return first.value if first.kind is TemplateTokenKind.WORD else ""


Piece = str | ActionTokens


def pieces(template: str) -> Iterator[Piece]:
    """Texts and actions in their order, without comments and without the white space that trim marks cut away.

    Raises TemplateFailed.
    """
    place, trims = 0, False
    for found in _ACTION.finditer(template):
        yield from _text(template[place : found.start()], place, template, left=trims, right=bool(found["left"]))
        line = _line(template, found.start())
        if found["comment"] is None:
            yield ActionTokens(line, tuple(_tokens(found["body"], line)))
        place, trims = found.end(), bool(found["right"])
    yield from _text(template[place:], place, template, left=trims, right=False)


def _text(text: str, start: int, template: str, *, left: bool, right: bool) -> Iterator[str]:
    if (stray := text.find("{{")) >= 0:
        raise failed(_line(template, start + stray), _("{{ without }}"))
    text = text.lstrip() if left else text
    text = text.rstrip() if right else text
    if text:
        yield text


def _tokens(body: str, line: int) -> Iterator[TemplateToken]:
    place, follows = 0, False
    while place < len(body):
        found = _TOKEN.match(body, place)
        if found is None or found.lastgroup is None:
            raise failed(line, _("%(character)s is not expected here", character=repr(body[place])))
        if found.lastgroup != "space":
            yield TemplateToken(TemplateTokenKind[found.lastgroup.upper()], found[0], follows)
        follows, place = found.lastgroup != "space", found.end()
    if not body.strip():
        raise failed(line, _("the action is empty"))


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
