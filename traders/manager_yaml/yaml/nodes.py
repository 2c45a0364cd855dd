"""YAML text as a tree that knows its lines, composed from the parser's events within fixed bounds.

Composing here instead of in PyYAML keeps the interpreter's stack out of it (a file may nest as deep as it
likes and is refused), bounds what aliases expand to, and takes a quarter of the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from traders.schema.messages import MessageError, TranslatableText, _

MAX_DEPTH = 50
MAX_NODES = 2_000_000  # aliases written out; a file of 10 MB without aliases stays below

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(slots=True)
class Scalar:
    value: str
    line: int
    plain: bool
    tag: str | None


@dataclass(slots=True)
class Sequence:
    line: int
    tag: str | None
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """`items` holds keys and values in turn, as the file has them: merge keys and duplicates included."""

    line: int
    tag: str | None
    items: list[Node] = field(default_factory=list)


Node = Scalar | Sequence | Mapping


class MalformedYaml(MessageError):
    """Not one document of YAML within the bounds; the message completes '<file>:<line>: ...'."""

    def __init__(self, message: TranslatableText, line: int | None) -> None:
        super().__init__(message)
        self.line = line


def compose(text: str) -> Node | None:
    """The document's root, None when there is none. Shared nodes are the same object; cycles are refused.

    Raises MalformedYaml.
    """
    try:
        return _Composer(text).root()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = " ".join(part for part in (error.context, error.problem) if part)
        raise MalformedYaml(_("is not YAML: %(words)s", words=words), mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        raise MalformedYaml(*_unreadable_character(error, text)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise MalformedYaml(_("is not YAML: %(error)s", error=error), None) from None


def _unreadable_character(error: yaml.reader.ReaderError, text: str) -> tuple[TranslatableText, int | None]:
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if found is None:
        return _("is not YAML: %(reason)s", reason=error.reason), None
    line = text.count("\n", 0, found.start()) + 1
    return _("holds the character U+%(code)s, which YAML does not allow", code=f"{ord(found.group()):04X}"), line


class _Composer:
    def __init__(self, text: str) -> None:
        self._next_event = _Loader(text).get_event
        self._count = 0
        # Name of an anchor -> its node and what it expands to; None while the node is still open.
        self._anchors: dict[str, tuple[Node, int | None]] = {}

    def root(self) -> Node | None:
        top = Sequence(0, None)
        depth_zero = top.items
        while True:
            event = self._next_event()
            kind = type(event)
            if kind is yaml.StreamEndEvent:
                return depth_zero[0] if depth_zero else None
            if kind is yaml.DocumentStartEvent:
                if depth_zero:
                    raise MalformedYaml(_("begins a second document; one file holds one"), _line(event))
                self._document(top)

    def _document(self, top: Sequence) -> None:
        next_event, anchors = self._next_event, self._anchors
        parents: list[tuple[list[Node], str | None, int]] = []
        items = top.items
        while True:
            event = next_event()
            kind = type(event)
            node: Node
            if kind is yaml.ScalarEvent:
                node = Scalar(event.value, event.start_mark.line + 1, event.implicit[0], event.tag)
                self._count += 1
                if event.anchor is not None:
                    anchors[event.anchor] = (node, 1)
                items.append(node)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                type_of_node = Mapping if kind is yaml.MappingStartEvent else Sequence
                node = type_of_node(event.start_mark.line + 1, event.tag)
                items.append(node)
                parents.append((items, event.anchor, self._count))
                self._count += 1
                if event.anchor is not None:
                    anchors[event.anchor] = (node, None)
                if len(parents) > MAX_DEPTH:
                    raise MalformedYaml(_("nests deeper than %(most)s levels", most=MAX_DEPTH), node.line)
                items = node.items
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                items, anchor, before = parents.pop()
                if anchor is not None:
                    anchors[anchor] = (anchors[anchor][0], self._count - before)
            elif kind is yaml.AliasEvent:
                items.append(self._shared(event))
            else:
                return
            if self._count > MAX_NODES:
                raise MalformedYaml(
                    _(
                        "holds more than %(most)s values once its aliases are written out",
                        most=f"{MAX_NODES:,}",
                    ),
                    _line(event),
                )

    def _shared(self, event: Any) -> Node:
        if event.anchor not in self._anchors:
            raise MalformedYaml(
                _("uses the alias *%(anchor)s before an anchor &%(anchor)s", anchor=event.anchor), _line(event)
            )
        node, size = self._anchors[event.anchor]
        if size is None:
            raise MalformedYaml(
                _("uses the alias *%(anchor)s inside of its own anchor", anchor=event.anchor), _line(event)
            )
        self._count += size
        return node


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
