"""Values under `extra`, read by the core schema of YAML 1.2: everything but null, true, false and numbers is a text."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from traders.manager_yaml.yaml.collect import YamlPlace
from traders.manager_yaml.yaml.mappings import describe, entries, is_null, key_text, tag_message
from traders.manager_yaml.yaml.nodes import Mapping, Node, Scalar, Sequence
from traders.schema.messages import _

MOST_VALUES = 50_000  # the limit of bytes is lower; this one bounds what aliases cost before it is looked at

_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = {"0x": 16, "0o": 8}
_BASED_INTEGER = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FRACTION = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_AMBIGUOUS = re.compile(r"[-+]?0[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 60


def read_extra(mapping: Mapping, place: YamlPlace) -> dict[str, Any]:
    """JSON values, with fractions as Decimal. Problems go to `place`."""
    reading = _Extra()
    return reading.mapping(mapping, place)


class _Extra:
    def __init__(self) -> None:
        self._left = MOST_VALUES

    def mapping(self, node: Mapping, place: YamlPlace) -> dict[str, Any]:
        return {
            key: self._value(value, place, key, key_node.line)
            for key, (key_node, value) in entries(node, place).items()
        }

    def _value(self, node: Node, place: YamlPlace, key: str, line: int) -> Any:
        self._left -= 1
        if self._left <= 0:
            if self._left == 0:
                place.wrong(
                    key_text(key),
                    _("is too much: extra may hold at most %(most)s values", most=f"{MOST_VALUES:,}"),
                    line,
                )
            return None
        if node.tag is not None:
            place.wrong(key_text(key), tag_message(node.tag), line)
            return None
        if isinstance(node, Mapping):
            return self.mapping(node, place.below(key_text(key)))
        if isinstance(node, Sequence):
            below = place.below(key_text(key))
            return [self._value(item, below, str(number), item.line) for number, item in enumerate(node.items)]
        if not node.plain:
            return node.value
        return self._plain(node, place, key, line)

    def _plain(self, node: Scalar, place: YamlPlace, key: str, line: int) -> Any:
        text = node.value
        if is_null(node):
            return None
        if text in ("true", "True", "TRUE"):
            return True
        if text in ("false", "False", "FALSE"):
            return False
        if text[0] not in "+-.0123456789":
            return text
        if _NOT_FINITE.fullmatch(text):
            place.wrong(key_text(key), _("must be a finite number or a text in quotes, was %(text)s", text=text), line)
        elif not (_FRACTION.fullmatch(text) or _BASED_INTEGER.fullmatch(text)):
            return text
        elif _AMBIGUOUS.fullmatch(text) or len(text) > _LONGEST_NUMBER:
            place.wrong(
                key_text(key),
                _(
                    "is read differently by different readers of YAML; write a number without leading zeros, "
                    "or a text in quotes, was %(value)s",
                    value=describe(node),
                ),
                line,
            )
        elif text[:2] in _BASED:
            return int(text[2:], _BASED[text[:2]])
        else:
            return int(text) if _INTEGER.fullmatch(text) else Decimal(text)
        return None
