"""The parts of a parsed template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any


@dataclass(frozen=True, slots=True)
class Dot:
    """What the template looks at now, or a field of it: `.`, `.Config.MinConfidence`."""

    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variable:
    """`$`, `$name` or a field of it."""

    name: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionName:
    name: str


@dataclass(frozen=True, slots=True)
class Nested:
    """A pipeline in brackets, or a field of its value."""

    pipeline: Pipeline
    fields: tuple[str, ...] = ()


Operand = Literal | Dot | Variable | FunctionName | Nested


@dataclass(frozen=True, slots=True)
class TemplateCommand:
    """A value, or a function with its arguments."""

    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Each command gets the value of the one before it as its last argument. `variables` take the value: new ones with
    `declares`, else those that stand. A range may have two."""

    line: int
    commands: tuple[TemplateCommand, ...]
    variables: tuple[str, ...] = ()
    declares: bool = True


@dataclass(frozen=True, slots=True)
class Branch:
    """`keyword` is if, with or range. The body runs with the value, `otherwise` without one."""

    keyword: str
    pipeline: Pipeline
    body: tuple[TemplateNode, ...]
    otherwise: tuple[TemplateNode, ...] = ()


@dataclass(frozen=True, slots=True)
class Include:
    """`{{ template "name" pipeline }}`; a block is one with its definition."""

    line: int
    name: str
    pipeline: Pipeline | None


@dataclass(frozen=True, slots=True)
class Jump:
    """break or continue."""

    keyword: str


TemplateNode = str | Pipeline | Branch | Include | Jump


@dataclass(frozen=True, slots=True)
class ParsedTemplate:
    nodes: tuple[TemplateNode, ...]
    defined: Mapping[str, tuple[TemplateNode, ...]] = field(default_factory=dict)
