"""The entries of a mapping: duplicate keys refused, merge keys followed."""

from __future__ import annotations

from traders.manager_yaml.yaml.collect import Problems, YamlPlace
from traders.manager_yaml.yaml.nodes import Mapping, Node, Scalar, Sequence
from traders.schema.messages import TranslatableText, _, verbatim
from traders.schema.problems import shown

Entries = dict[str, tuple[Scalar, Node]]
"""{key: (its node, its value)}; keys are texts as written."""

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_MERGE = "<<"


def entries(mapping: Mapping, place: YamlPlace) -> Entries:
    """Own keys first, then what merge keys (`<<: *anchor`) add to them. Problems go to `place`."""
    found: Entries = {}
    merges: list[Node] = []
    items = iter(mapping.items)
    for key, value in zip(items, items, strict=True):
        if not isinstance(key, Scalar):
            place.wrong("", _("has a key that is %(value)s; keys are texts", value=describe(key)), key.line)
        elif key.tag is not None:
            place.wrong(key_text(key.value), tag_message(key.tag), key.line)
        elif key.value == _MERGE and key.plain:
            if merges:
                place.wrong(_MERGE, _("is written twice; merge several mappings with <<: [*a, *b]"), key.line)
            merges.append(value)
        elif key.value in found:
            first = found[key.value][0].line
            place.wrong(
                key_text(key.value),
                _("is written twice, on lines %(first)s and %(line)s; keep one", first=first, line=key.line),
                key.line,
            )
        else:
            found[key.value] = (key, value)
    for value in merges:
        _merge(found, value, place)
    return found


def _merge(found: Entries, value: Node, place: YamlPlace) -> None:
    sources = value.items if isinstance(value, Sequence) else [value]
    for source in sources:
        if not isinstance(source, Mapping):
            place.wrong(
                _MERGE, _("must name mappings by their anchors, was %(value)s", value=describe(source)), source.line
            )
        else:
            for key, entry in entries(source, place).items():
                found.setdefault(key, entry)


class _Ignored(Problems):
    def add(self, message: TranslatableText, *, line: int | None, path: str = "", trader: str = "") -> None:
        pass


def lookup(mapping: Mapping, key: str) -> tuple[Scalar, Node] | None:
    """The entry of one key. Problems of other keys are not reported."""
    return entries(mapping, YamlPlace(_Ignored())).get(key)


def describe(node: Node) -> TranslatableText:
    """A node as a message names it: its value, or what kind of collection it is."""
    if isinstance(node, Mapping):
        return _("a mapping")
    if isinstance(node, Sequence):
        return _("a list")
    if node.plain and not node.value:
        return _("nothing")
    if node.plain:
        return verbatim(node.value if shown(node.value) == repr(node.value) else shown(node.value))
    return _("the text %(value)s", value=shown(node.value))


def key_text(key: str) -> str:
    """A key as a path shows it: bare where it is a plain word."""
    return key if key.isprintable() and 0 < len(key) <= 64 and not set(" .:\"'") & set(key) else shown(key)


def tag_message(tag: str) -> TranslatableText:
    word = tag.replace("tag:yaml.org,2002:", "!!")
    return _("has the YAML tag %(value)s; write the value without a tag", value=shown(word))


def is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.plain and node.value in NULLS
