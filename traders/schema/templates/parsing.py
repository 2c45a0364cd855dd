"""Pieces of a template -> its parts."""

from __future__ import annotations

import ast
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from traders.schema.messages import _
from traders.schema.templates.functions import FUNCTIONS
from traders.schema.templates.tokens import ActionTokens, Piece, TemplateToken, TemplateTokenKind, failed, pieces
from traders.schema.templates.tree import (
    Branch,
    Dot,
    FunctionName,
    Include,
    Jump,
    Literal,
    Nested,
    Operand,
    ParsedTemplate,
    Pipeline,
    TemplateCommand,
    TemplateNode,
    Variable,
)

# Deeper ones would end in Python's own limit.
DEEPEST = 100
# Decimal digits of a number: more would fill the memory when it is written.
_LONGEST_NUMBER = 100
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "nil": None}
_BRANCHES = frozenset({"if", "with", "range"})
# Go's escapes that Python spells otherwise, or not at all.
_ESCAPE = re.compile(r"\\([abfnrtv\\'\"]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3})")


def parse(template: str) -> ParsedTemplate:
    """Raises TemplateFailed."""
    parser = _TemplateParser(list(pieces(template)))
    nodes, end = parser.nodes(in_range=False)
    if end is not None:
        raise failed(end.line, _("%(word)s without a beginning", word=end.keyword))
    return ParsedTemplate(nodes, parser.defined)


class _TemplateParser:
    def __init__(self, found: list[Piece]) -> None:
        self._pieces = found
        self._place = self._depth = 0
        self.defined: dict[str, tuple[TemplateNode, ...]] = {}

    def nodes(self, *, in_range: bool) -> tuple[tuple[TemplateNode, ...], ActionTokens | None]:
        """Up to the next else or end that belongs to none of them, which is the second part; None at the end."""
        made: list[TemplateNode] = []
        while self._place < len(self._pieces):
            piece = self._pieces[self._place]
            self._place += 1
            if isinstance(piece, str):
                made.append(piece)
            elif piece.keyword in ("else", "end"):
                return tuple(made), piece
            elif (node := self._node(piece, in_range=in_range)) is not None:
                made.append(node)
        return tuple(made), None

    def _node(self, action: ActionTokens, *, in_range: bool) -> TemplateNode | None:
        keyword, reader = action.keyword, _ActionReader(action)
        if keyword in _BRANCHES:
            return self._branch(reader, keyword, in_range=in_range)
        if keyword in ("define", "block"):
            return self._definition(reader, keyword)
        if keyword == "template":
            return Include(action.line, reader.name(), reader.rest())
        if keyword in ("break", "continue"):
            if not in_range:
                raise failed(action.line, _("%(word)s stands in no range", word=keyword))
            reader.skip()
            reader.finish()
            return Jump(keyword)
        return reader.pipeline()

    def _branch(self, reader: _ActionReader, keyword: str, *, in_range: bool) -> Branch:
        reader.skip()
        self._depth += 1
        if self._depth > DEEPEST:
            raise failed(reader.line, _("actions stand in each other more than %(most)s deep", most=DEEPEST))
        found = self._whole_branch(reader, keyword, in_range=in_range)
        self._depth -= 1
        return found

    def _whole_branch(self, reader: _ActionReader, keyword: str, *, in_range: bool) -> Branch:
        pipeline = reader.pipeline(most=2 if keyword == "range" else 1)
        body, end = self.nodes(in_range=in_range or keyword == "range")
        end = _require_end(end, reader.line, keyword)
        if end.keyword == "end":
            return Branch(keyword, pipeline, body)
        rest = _ActionReader(end)
        rest.skip()
        if (word := rest.word()) in ("if", "with"):
            return Branch(keyword, pipeline, body, (self._branch(rest, word, in_range=in_range),))
        rest.finish()
        otherwise, last = self.nodes(in_range=in_range)
        last = _require_end(last, reader.line, keyword)
        if last.keyword != "end":
            raise failed(last.line, _("a second else"))
        return Branch(keyword, pipeline, body, otherwise)

    def _definition(self, reader: _ActionReader, keyword: str) -> Include | None:
        name = reader.name()
        pipeline = reader.rest() if keyword == "block" else None
        if keyword == "define":
            reader.finish()
        body, end = self.nodes(in_range=False)
        end = _require_end(end, reader.line, keyword)
        if end.keyword != "end":
            raise failed(end.line, _("%(word)s has no else", word=keyword))
        self.defined[name] = body
        return Include(reader.line, name, pipeline) if keyword == "block" else None


class _ActionReader:
    """Reads the tokens of one action, from left to right."""

    def __init__(self, action: ActionTokens) -> None:
        self.line = action.line
        self._tokens = action.tokens
        self._place = self._depth = 0

    def skip(self) -> None:
        self._place += 1

    def word(self) -> str:
        token = self._next()
        return token.value if token is not None and token.kind is TemplateTokenKind.WORD else ""

    def finish(self) -> None:
        if (token := self._next()) is not None:
            raise self._unexpected(token)

    def name(self) -> str:
        """The text after the keyword."""
        self.skip()
        token = self._next()
        if token is None or token.kind is not TemplateTokenKind.TEXT or token.value.startswith("'"):
            raise failed(self.line, _("a name in quotation marks is expected"))
        self.skip()
        return _unquoted(token.value)

    def rest(self) -> Pipeline | None:
        """The pipeline that is left, None if there is none."""
        return None if self._next() is None else self.pipeline()

    def pipeline(self, *, most: int = 1) -> Pipeline:
        variables, declares = self._variables(most)
        commands = self._commands()
        self.finish()
        return Pipeline(self.line, commands, variables, declares)

    def _variables(self, most: int) -> tuple[tuple[str, ...], bool]:
        found = []
        start = self._place
        while (token := self._next()) is not None and token.kind is TemplateTokenKind.VARIABLE:
            found.append(token.value)
            self.skip()
            sign = self._next()
            if sign is not None and sign.value in (":=", "="):
                if len(found) > most:
                    raise failed(self.line, _("more variables than values"))
                self.skip()
                return tuple(found), sign.value == ":="
            if sign is None or sign.value != ",":
                break
            self.skip()
        self._place = start
        return (), True

    def _commands(self) -> tuple[TemplateCommand, ...]:
        commands = [self._command()]
        while (token := self._next()) is not None and token.value == "|" and token.kind is TemplateTokenKind.SIGN:
            self.skip()
            commands.append(self._command())
        return tuple(commands)

    def _command(self) -> TemplateCommand:
        operands: list[Operand] = []
        while (token := self._next()) is not None and not (
            token.kind is TemplateTokenKind.SIGN and token.value in ("|", ")")
        ):
            operands.append(self._operand(token))
        if not operands:
            raise failed(self.line, _("a value is missing"))
        return TemplateCommand(tuple(operands))

    def _operand(self, token: TemplateToken) -> Operand:
        self.skip()
        match token.kind:
            case TemplateTokenKind.TEXT:
                return Literal(_literal_text(token.value, self.line))
            case TemplateTokenKind.NUMBER:
                return Literal(_number(token.value, self.line))
            case TemplateTokenKind.FIELD:
                return Dot((token.value[1:], *self._fields()))
            case TemplateTokenKind.VARIABLE:
                return Variable(token.value, self._fields())
            case TemplateTokenKind.WORD if token.value in _CONSTANTS:
                return Literal(_CONSTANTS[token.value])
            case TemplateTokenKind.WORD if token.value in FUNCTIONS:
                return FunctionName(token.value)
            case TemplateTokenKind.SIGN if token.value == ".":
                return Dot()
            case TemplateTokenKind.SIGN if token.value == "(":
                self._depth += 1
                if self._depth > DEEPEST:
                    raise failed(self.line, _("brackets stand in each other more than %(most)s deep", most=DEEPEST))
                commands = self._commands()
                self._depth -= 1
                if (end := self._next()) is None or end.value != ")":
                    raise failed(self.line, _("a bracket is not closed"))
                self.skip()
                return Nested(Pipeline(self.line, commands), self._fields())
        raise self._unexpected(token)

    def _fields(self) -> tuple[str, ...]:
        found = []
        while (token := self._next()) is not None and token.kind is TemplateTokenKind.FIELD and token.follows:
            found.append(token.value[1:])
            self.skip()
        return tuple(found)

    def _next(self) -> TemplateToken | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _unexpected(self, token: TemplateToken) -> Exception:
        return failed(self.line, _("%(token)s is not expected here", token=token.value))


def _require_end(end: ActionTokens | None, line: int, keyword: str) -> ActionTokens:
    if end is None:
        raise failed(line, _("%(word)s without end", word=keyword))
    return end


def _literal_text(token: str, line: int) -> str | int:
    if token.startswith("'"):
        character = _unquoted(token)
        if len(character) != 1:
            raise failed(line, _("%(token)s is not one character", token=token))
        return ord(character)
    return _unquoted(token)


def _unquoted(token: str) -> str:
    if token.startswith("`"):
        return token[1:-1].replace("\r", "")
    return _ESCAPE.sub(lambda found: _unescaped(found[1]), token[1:-1])


def _unescaped(escape: str) -> str:
    plain = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
    if escape[0] in "xuU":
        return _character(int(escape[1:], 16))
    return _character(int(escape, 8)) if escape[0].isdigit() else plain.get(escape, escape)


def _character(code: int) -> str:
    is_none = code > 0x10FFFF or 0xD800 <= code <= 0xDFFF
    return "\ufffd" if is_none else chr(code)


def _number(token: str, line: int) -> int | Decimal:
    try:
        whole = ast.literal_eval(token.replace("_", ""))
        number = whole if isinstance(whole, int) else Decimal(token.replace("_", ""))
    except (SyntaxError, ValueError, InvalidOperation):
        raise failed(line, _("%(token)s is no number", token=token[:_LONGEST_NUMBER])) from None
    if abs(Decimal(number).adjusted()) > _LONGEST_NUMBER:
        raise failed(line, _("%(token)s is no number", token=token[:_LONGEST_NUMBER]))
    return number
