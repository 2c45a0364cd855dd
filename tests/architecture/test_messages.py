"""Texts for people of the plain-Python layers can be translated: none is raised as a plain sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

import trading.record.rules.errors  # noqa: F401  so that every class below is known
from traders.schema.messages import MessageError
from traders.schema.problems import InvalidConfig

ROOT: Path = settings.BASE_DIR
PLAIN = (
    *("traders/schema", "traders/manager_yaml", "traders/versions/rules", "traders/versions/reason.py"),
    *("trading/schema", "trading/record/rules", "trading/record/stored", "trading/record/check"),
    *("trading/replay", "trading/analytics", "trading/imports"),
)
PARAMETER = re.compile(r"%\((\w+)\)s")


def files() -> list[Path]:
    found = [
        path
        for place in PLAIN
        for path in ([ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py")))
    ]
    assert len(found) > 60
    return found


def calls(path: Path, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in names:
                yield node


def _subclasses(kind: type[Exception]) -> set[str]:
    return {kind.__name__}.union(*map(_subclasses, kind.__subclasses__()))


# What says why something is refused, differs or cannot be read, without being an exception's text.
REFUSALS = {"CheckRefusal", "unknown", "ReplayDifference", "NotReadable", "Unreadable", "Finding"}
RAISED = sorted(
    _subclasses(MessageError) | _subclasses(InvalidConfig) | {"Problem", "ValueError", "InvalidRecord"} | REFUSALS
)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_plain_sentence_is_raised(path: Path) -> None:
    plain = [
        f"{path.relative_to(ROOT)}:{argument.lineno}"
        for call in calls(path, *RAISED, "wrong")
        for argument in call.args
        if isinstance(argument, ast.JoinedStr | ast.Constant)
        and " " in "".join(str(part.value) for part in ast.walk(argument) if isinstance(part, ast.Constant))
    ]
    assert plain == [], "write _(...) of traders.schema.messages"


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_is_a_literal_with_a_value_for_each_parameter(path: Path) -> None:
    if "schema.messages import" not in path.read_text(encoding="utf-8"):
        return
    for call in calls(path, "_"):
        where = f"{path.relative_to(ROOT)}:{call.lineno}"
        (template,) = call.args
        assert isinstance(template, ast.Constant), f"{where}: makemessages finds literals only"
        assert isinstance(template.value, str)
        assert set(PARAMETER.findall(template.value)) == {keyword.arg for keyword in call.keywords}, where


MARKING = ("_", "gettext", "ngettext", "pgettext", "gettext_lazy", "ngettext_lazy", "pgettext_lazy", "gettext_noop")


@pytest.mark.parametrize("app", ["traders", "trading", "nof0site", "demo"])
def test_a_function_that_marks_texts_keeps_a_name_that_makemessages_knows(app: str) -> None:
    renamed = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / app).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.name in MARKING and (name.asname or name.name) not in MARKING
    ]
    assert renamed == []
