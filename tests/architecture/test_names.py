"""A class name means one thing in the whole product."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from django.conf import settings

ROOT: Path = settings.BASE_DIR
# Names that Django looks for: one class a module, or a model's inner class.
GIVEN_BY_DJANGO = {"Command", "Config", "DatabaseWrapper", "Meta", "Migration"}


def class_places() -> dict[str, list[str]]:
    """{class name: the files that define it}."""
    places: dict[str, list[str]] = defaultdict(list)
    for app in ("traders", "trading", "nof0site", "demo"):
        for path in sorted((ROOT / app).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and node.name not in GIVEN_BY_DJANGO:
                    places[node.name].append(str(path.relative_to(ROOT)))
    assert len(places) > 400
    return places


def test_no_two_classes_share_a_name() -> None:
    shared = {name: files for name, files in class_places().items() if len(files) > 1}
    assert shared == {}, "see docs/glossary.md: a class is named by its subject first"
