"""A parsed template and its data -> text."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traders.schema.messages import _
from traders.schema.templates.functions import AND_OR, BY_NAME
from traders.schema.templates.tokens import failed
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
from traders.schema.templates.values import WrongArgument, is_true, needs, written

# A template is data: it must not keep the manager busy, or fill its memory.
MOST_STEPS = 200_000
LONGEST = 4_000_000
DEEPEST = 50
_MOST_NAMES = 12
_NOTHING = object()


class _Leaves(Exception):
    """break and continue, on their way to their range."""

    def __init__(self, keyword: str) -> None:
        super().__init__(keyword)
        self.keyword = keyword


class Evaluation:
    """One rendering. `data` is the dot of the outermost template."""

    def __init__(self, template: ParsedTemplate, data: Any) -> None:
        self._template = template
        self._variables: list[tuple[str, Any]] = [("$", data)]
        self._steps = self._depth = self._size = 0
        self._made: list[str] = []

    def run(self) -> str:
        """Raises TemplateFailed."""
        self._nodes(self._template.nodes, self._variables[0][1], 1)
        return "".join(self._made)

    def _nodes(self, nodes: Sequence[TemplateNode], dot: Any, line: int) -> None:
        since = len(self._variables)
        for node in nodes:
            self._steps += 1
            if self._steps > MOST_STEPS:
                raise failed(line, _("takes more than %(most)s steps", most=f"{MOST_STEPS:,}"))
            match node:
                case str():
                    self._write(node, line)
                case Pipeline():
                    line = node.line
                    value = self._value(node, dot)
                    if not node.variables:
                        self._write(written(value), line)
                case Branch():
                    line = node.pipeline.line
                    self._branch(node, dot)
                case Include():
                    line = node.line
                    self._include(node, dot)
                case Jump():
                    del self._variables[since:]
                    raise _Leaves(node.keyword)
        del self._variables[since:]

    def _write(self, text: str, line: int) -> None:
        self._size += len(text)
        if self._size > LONGEST:
            raise failed(line, _("the text is longer than %(most)s characters", most=f"{LONGEST:,}"))
        self._made.append(text)

    def _branch(self, node: Branch, dot: Any) -> None:
        since, line = len(self._variables), node.pipeline.line
        if node.keyword == "range":
            self._range(node, dot)
        else:
            value = self._value(node.pipeline, dot)
            chosen = is_true(value)
            inner = value if chosen and node.keyword == "with" else dot
            self._nodes(node.body if chosen else node.otherwise, inner, line)
        del self._variables[since:]

    def _range(self, node: Branch, dot: Any) -> None:
        line, names = node.pipeline.line, node.pipeline.variables
        value = self._value(node.pipeline, dot, assigns=False)
        is_empty = True
        for key, item in self._items(value, line):
            is_empty = False
            since = len(self._variables)
            for name, one in zip(names, (key, item) if len(names) == 2 else (item,), strict=False):
                self._assign(name, one, node.pipeline)
            try:
                self._nodes(node.body, item, line)
            except _Leaves as left:
                if left.keyword == "break":
                    break
            finally:
                if node.pipeline.declares:
                    del self._variables[since:]
        if is_empty:
            self._nodes(node.otherwise, dot, line)

    def _items(self, value: Any, line: int) -> Iterator[tuple[Any, Any]]:
        if value is None:
            return
        if isinstance(value, Mapping):
            yield from ((key, value[key]) for key in sorted(value))
        elif isinstance(value, int) and not isinstance(value, bool):
            yield from ((index, index) for index in range(value))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from enumerate(value)
        else:
            raise failed(line, needs("range", _("a list, a map or a whole number"), value).message)

    def _include(self, node: Include, dot: Any) -> None:
        if node.name not in self._template.defined:
            raise failed(node.line, _("there is no template %(name)s", name=repr(node.name)))
        value = self._value(node.pipeline, dot) if node.pipeline else None
        if self._depth >= DEEPEST:
            raise failed(node.line, _("templates include each other more than %(most)s deep", most=DEEPEST))
        outer, self._variables = self._variables, [("$", value)]
        self._depth += 1
        self._nodes(self._template.defined[node.name], value, node.line)
        self._depth -= 1
        self._variables = outer

    def _value(self, pipeline: Pipeline, dot: Any, *, assigns: bool = True) -> Any:
        value: Any = _NOTHING
        for command in pipeline.commands:
            try:
                value = self._command(command, dot, pipeline.line, value)
            except WrongArgument as error:
                raise failed(pipeline.line, error.message) from None
        for name in pipeline.variables if assigns else ():
            self._assign(name, value, pipeline)
        return value

    def _assign(self, name: str, value: Any, pipeline: Pipeline) -> None:
        if pipeline.declares:
            self._variables.append((name, value))
            return
        for index in range(len(self._variables) - 1, -1, -1):
            if self._variables[index][0] == name:
                self._variables[index] = (name, value)
                return
        raise failed(pipeline.line, _("there is no variable %(name)s", name=name))

    def _command(self, command: TemplateCommand, dot: Any, line: int, before: Any) -> Any:
        first, *rest = command.operands
        if isinstance(first, FunctionName):
            return self._function(first.name, rest, dot, line, before)
        if rest or before is not _NOTHING:
            raise failed(line, _("%(value)s takes no arguments", value=_named(first)))
        if isinstance(first, Literal) and first.value is None:
            raise failed(line, _("nil is no value to write"))
        return self._operand(first, dot, line)

    def _function(self, name: str, operands: Sequence[Operand], dot: Any, line: int, before: Any) -> Any:
        if name in AND_OR:
            return self._first_that_decides(name, operands, dot, line, before)
        values = [self._operand(one, dot, line) for one in operands]
        values += [] if before is _NOTHING else [before]
        function = BY_NAME[name]
        try:
            inspect.signature(function).bind(*values)
        except TypeError:
            raise failed(line, _("%(name)s does not take %(count)s values", name=name, count=len(values))) from None
        return function(*values)

    def _first_that_decides(self, name: str, operands: Sequence[Operand], dot: Any, line: int, before: Any) -> Any:
        """`and`: the first value that is false, `or`: that is true; else the last. What follows is not looked at."""
        value: Any = _NOTHING
        for one in operands:
            value = self._operand(one, dot, line)
            if is_true(value) is (name == "or"):
                return value
        value = value if before is _NOTHING else before
        if value is _NOTHING:
            raise failed(line, _("%(name)s does not take %(count)s values", name=name, count=0))
        return value

    def _operand(self, operand: Operand, dot: Any, line: int) -> Any:
        match operand:
            case Literal():
                return operand.value
            case Dot():
                return _field(dot, operand.fields, ".", line)
            case Variable():
                return _field(self._variable(operand.name, line), operand.fields, f"{operand.name}.", line)
            case Nested():
                return _field(self._value(operand.pipeline, dot), operand.fields, "().", line)
            case FunctionName():
                return self._function(operand.name, (), dot, line, _NOTHING)

    def _variable(self, name: str, line: int) -> Any:
        for known, value in reversed(self._variables):
            if known == name:
                return value
        raise failed(line, _("there is no variable %(name)s", name=name))


def _field(value: Any, names: Sequence[str], start: str, line: int) -> Any:
    for place, name in enumerate(names):
        path = start + ".".join(names[: place + 1])
        if not isinstance(value, Mapping):
            raise failed(line, _("there is no field %(path)s: it would be of a single value", path=path))
        if name not in value:
            known = sorted(map(str, value))
            shown = ", ".join([*known[:_MOST_NAMES], "..."] if len(known) > _MOST_NAMES else known)
            if not known:
                raise failed(line, _("there is no field %(path)s, nor any other", path=path))
            raise failed(line, _("there is no field %(path)s; there are %(names)s", path=path, names=shown))
        value = value[name]
    return value


def _named(operand: Operand) -> str:
    match operand:
        case Dot():
            return "." + ".".join(operand.fields)
        case Variable():
            return ".".join((operand.name, *operand.fields))
        case Literal():
            return written(operand.value)
    return "()"
