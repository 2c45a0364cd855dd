"""The entries of `traders:`, one after the other, into valid configurations."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from traders.manager_yaml.bundle.placement import KNOWN_AS
from traders.manager_yaml.file import KnownNames
from traders.manager_yaml.names import name_problems
from traders.manager_yaml.prompts import InvalidPrompt, PromptReader
from traders.manager_yaml.section import read_section
from traders.manager_yaml.shape import TRADER_SHAPE
from traders.manager_yaml.validated import checked, line_of
from traders.manager_yaml.yaml.collect import Problems, YamlPlace
from traders.manager_yaml.yaml.mappings import Entries, describe, entries, is_null, tag_message
from traders.manager_yaml.yaml.nodes import Mapping, Node, Scalar
from traders.manager_yaml.yaml.slips import full_width_colon
from traders.schema.messages import _
from traders.schema.paths import Flat
from traders.schema.prompts import path_problem
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.schema.settings.trader import DEFAULT_EXECUTOR_TEMPLATE, ID_PATTERN, ID_RULE, TraderSpec
from traders.schema.settings.validate import validate_trader

_SECTIONS = ("prompts", "risk")


class TraderEntries:
    """Fills `specs` and `lines` in the order of the file; what is wrong goes to the problems of the file."""

    def __init__(self, problems: Problems, known: KnownNames, prompts: PromptReader) -> None:
        self._problems = problems
        self._known = known
        self._prompts = prompts
        self._ids: dict[str, tuple[str, int]] = {}
        self.specs: dict[str, TraderSpec] = {}
        self.lines: dict[str, int] = {}

    def read_all(self, nodes: Iterable[Node]) -> None:
        for number, node in enumerate(nodes):
            position = f"traders[{number}]"
            if isinstance(node, Mapping) and node.tag is None:
                self._read(node, position)
            else:
                wrong = full_width_colon(node) or _(
                    "must be a mapping of settings, was %(value)s", value=describe(node)
                )
                message = wrong if node.tag is None else tag_message(node.tag)
                self._problems.add(message, line=node.line, trader=position)

    def _read(self, node: Mapping, position: str) -> None:
        place = YamlPlace(self._problems, _label(node) or position)
        section = entries(node, place)
        trader_id = self._id(section, place, node.line)
        flat: Flat = {}
        bad = read_section(section, TRADER_SHAPE, flat, place, known=_OTHER_KEYS)
        bad |= self._add_prompts(flat, section, node, place, bad)
        for path, key, message in name_problems(flat, self._known):
            place.wrong(key, message, line_of(node, key))
            bad.add(path)
        validate = partial(validate_trader, trader_id or "unnamed")
        spec = checked(validate, flat, node, place, TRADER_SETTINGS, bad, sections=_SECTIONS)
        if spec is not None and trader_id:
            self.specs[trader_id] = spec
            self.lines[trader_id] = node.line

    def _id(self, section: Entries, place: YamlPlace, line: int) -> str:
        """The id, or "" if there was a problem, which is reported."""
        key, value = section.get("id", (None, None))
        if key is None or value is None or is_null(value):
            place.wrong("id", _("is missing; it must be %(right)s", right=ID_RULE), key.line if key else line)
            return ""
        if value.tag is not None:
            place.wrong("id", tag_message(value.tag), key.line)
            return ""
        trader_id = value.value.strip() if isinstance(value, Scalar) else ""
        if not ID_PATTERN.fullmatch(trader_id):
            place.wrong("id", _("must be %(right)s, was %(value)s", right=ID_RULE, value=describe(value)), key.line)
            return ""
        first, first_line = self._ids.setdefault(trader_id.lower(), (trader_id, key.line))
        if (first, first_line) != (trader_id, key.line) or trader_id in self.specs:
            message = (
                _(
                    "is taken twice, on lines %(first_line)s and %(line)s; give each its own",
                    first_line=first_line,
                    line=key.line,
                )
                if first == trader_id
                else _(
                    "is taken twice, on lines %(first_line)s (as %(id)s; ids differ in more than upper and lower case)"
                    " and %(line)s; give each its own",
                    first_line=first_line,
                    id=first,
                    line=key.line,
                )
            )
            place.wrong("id", message, key.line)
        return trader_id

    def _add_prompts(self, flat: Flat, section: Entries, node: Mapping, place: YamlPlace, bad: set[str]) -> set[str]:
        """The versions and digests of both prompts; gives the paths of those that cannot be used."""
        unusable: set[str] = set()
        for role, key, default in _PROMPTS:
            template = f"detail.prompts.{role}_template"
            path = str(flat.get(template, default)).strip()
            if not path or template in bad:
                continue
            known_as = _known_as(section, key + KNOWN_AS, place) or path
            try:
                prompt = self._prompts.read(path, known_as=known_as)
            except InvalidPrompt as error:
                place.wrong(key, error.message, line_of(node, key))
                unusable.add(template)
            else:
                flat[template] = known_as
                flat[f"detail.prompts.{role}_version"] = prompt.version
                flat[f"detail.prompts.{role}_sha256"] = prompt.sha256
        return unusable


def _known_as(section: Entries, key: str, place: YamlPlace) -> str | None:
    """The path that the configuration keeps for a prompt whose file has another name in an export."""
    if key not in section:
        return None
    key_node, value = section[key]
    if value.tag is not None:
        place.wrong(key, tag_message(value.tag), key_node.line)
    elif not isinstance(value, Scalar) or not value.value.strip():
        place.wrong(key, _("must be the path of a prompt, was %(value)s", value=describe(value)), key_node.line)
    elif problem := path_problem(value.value.strip()):
        place.wrong(key, problem, key_node.line)
    else:
        return value.value.strip()
    return None


def _label(node: Mapping) -> str:
    """The id under which messages name the entry, "" when it has no valid one of its own."""
    for key, value in zip(node.items[::2], node.items[1::2], strict=True):
        if isinstance(key, Scalar) and key.value == "id" and isinstance(value, Scalar):
            trader_id = value.value.strip()
            return trader_id if ID_PATTERN.fullmatch(trader_id) else ""
    return ""


_PROMPTS = (
    ("system", "prompt_template", ""),
    ("executor", "executor_prompt_template", DEFAULT_EXECUTOR_TEMPLATE),
)
_OTHER_KEYS = ("id", *(key + KNOWN_AS for _, key, _ in _PROMPTS))
