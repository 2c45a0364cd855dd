"""The old layout of Redis stays behind one door, so that it can be deleted as a folder."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.conf import settings

from trading.live.migration import legacy

STORE: Path = settings.BASE_DIR / "trading" / "live"
CORE = sorted(
    [
        STORE / "keys.py",
        *(STORE / "redis").glob("*.py"),
        *(STORE / "upkeep" / name for name in ("compare.py", "inspect.py", "sweep.py", "verdicts.py")),
    ]
)
WORDS = ("legacy", "old layout", "old_layout", "oldlayout", "writes_old", "writes_new", "dual", "migration")
# `nof0:market:asset:*:*` and the unused patterns start as keys of the present layout do.
OLD_NAMES = (*(old.prefix for old in legacy.STRINGS), legacy.PRICES_OF_ALL, legacy.LEADER)


@pytest.mark.parametrize("file", CORE, ids=lambda file: file.name)
def test_the_store_names_nothing_of_the_old_layout(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert [word for word in WORDS if word in text.lower()] == []
    assert [name for name in OLD_NAMES if name in text] == []


def test_only_the_switch_over_and_the_registration_import_the_old_layout() -> None:
    importers = {
        str(file.relative_to(settings.BASE_DIR))
        for file in settings.BASE_DIR.glob("trading/**/*.py")
        if file.parent != STORE / "migration" and any("trading.live.migration" in name for name in _imports(file))
    }

    assert importers == {
        "trading/live/page/store.py",
        "trading/apps.py",
        "trading/management/commands/livestore.py",
        "trading/live/switch/mirror.py",
        "trading/live/switch/services.py",
    }


def _imports(file: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{one.name}" for one in node.names]
        elif isinstance(node, ast.Import):
            found += [one.name for one in node.names]
    return found
