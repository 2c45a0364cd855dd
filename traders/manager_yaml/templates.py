"""Prompt templates as engines parse them (Go text/template): what would fail at the first decision is found before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from traders.schema.messages import TranslatableText, _
from traders.schema.templates.functions import FUNCTIONS
from traders.schema.templates.parsing import parse
from traders.schema.templates.tokens import TemplateFailed

# They make a text read otherwise than it is written: what a person approves is not what the model gets.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_COMMENT = re.compile(r"\{\{(?:- )?/\*.*?\*/(?: -)?\}\}", re.DOTALL)
_TEXT = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|`[^`]*`|'(?:\\.|[^'\\\n])*'")
_ACTION = re.compile(rf"\{{\{{((?:{_TEXT.pattern}|(?!\}}\}}|\{{\{{).)*)\}}\}}", re.DOTALL)
_WORD = re.compile(r"(?<![\w.$])[A-Za-z_]\w*")
_FIELD = re.compile(r"(?<![\w.)$])\.([A-Za-z_]\w*)")
_OPENS = frozenset({"if", "range", "with", "define", "block"})
_HAS_ELSE = frozenset({"if", "range", "with"})
_KEYWORDS = _OPENS | {"else", "end", "template", "break", "continue", "nil", "true", "false"}
# What engines give a manager's and an executor's template.
FIELDS = frozenset(
    {
        *("Trader", "ContextJSON", "Config", "CurrentTime", "RuntimeMinutes", "SharpeRatio", "AccountOverview"),
        *("OpenPositions", "RiskBudget", "PerformanceView", "CandidateCoins", "MarketSnapshots"),
    }
)


@dataclass(frozen=True, slots=True)
class TemplateAction:
    """What stands between `{{` and `}}`, without its texts. `line` counts from 1."""

    line: int
    body: str

    @property
    def words(self) -> list[str]:
        return _WORD.findall(self.body)


def template_problem(body: str) -> TranslatableText | None:
    """Why no engine can use the template, completing '<a prompt>...'. None if nothing."""
    if bidi := _BIDI.search(body):
        return _(
            ", whose line %(line)s holds the character U+%(code)s, which turns the direction of the text",
            line=_line(body, bidi.start()),
            code=f"{ord(bidi[0]):04X}",
        )
    plain = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), body)
    rest = _ACTION.sub(lambda found: " " * len(found[0]), plain)
    if (stray := re.search(r"\{\{", rest)) is not None:
        return _(", whose line %(line)s opens {{ without }}", line=_line(plain, stray.start()))
    opened: list[TemplateAction] = []
    for action in _actions(plain):
        if unknown := next((word for word in action.words if word not in _KEYWORDS | FUNCTIONS), None):
            return _(
                ", whose line %(line)s calls %(name)s, which is no function of templates; those are %(names)s",
                line=action.line,
                name=unknown,
                names=", ".join(sorted(FUNCTIONS)),
            )
        if problem := _balance(action, opened):
            return problem
    if opened:
        return _(", whose line %(line)s opens %(word)s without end", line=opened[-1].line, word=opened[-1].words[0])
    try:
        parse(body)
    except TemplateFailed as error:
        return _(", which no engine can read: %(problem)s", problem=error)
    return None


def unknown_fields(body: str) -> list[str]:
    """Fields that engines do not give, where the dot is what they give: not inside range, with or define."""
    depth, found = 0, []
    for action in _actions(_COMMENT.sub("", body)):
        first = next(iter(action.words), "")
        if depth == 0 or first in ("range", "with"):
            found += [name for name in _FIELD.findall(action.body) if name not in FIELDS] if depth == 0 else []
        if first in ("range", "with", "define", "block") or (depth and first == "if"):
            depth += 1
        elif first == "end" and depth:
            depth -= 1
    return sorted(set(found))


def _actions(text: str) -> Iterator[TemplateAction]:
    for found in _ACTION.finditer(text):
        yield TemplateAction(_line(text, found.start()), _TEXT.sub('""', found[1]))


def _balance(action: TemplateAction, opened: list[TemplateAction]) -> TranslatableText | None:
    first = next(iter(action.words), "")
    if first in _OPENS:
        opened.append(action)
    elif first == "else" and not (opened and opened[-1].words[0] in _HAS_ELSE):
        return _(", whose line %(line)s has an else without if, range or with", line=action.line)
    elif first == "end":
        if not opened:
            return _(", whose line %(line)s has an end without a beginning", line=action.line)
        opened.pop()
    return None


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
