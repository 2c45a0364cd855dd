"""A reader finds a subject by its folder; what the import contracts of pyproject.toml cannot say of slices."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

ROOT: Path = settings.BASE_DIR
MOST_FILES = 15
GENERAL_NAMES = {"repositories", "utils", "helpers", "common", "misc"}
WRITES = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|COPY)\s+\"?(\w+)", re.IGNORECASE)
WRITING_METHODS = re.compile(
    r"\.(?:save|create|bulk_create|update|bulk_update|get_or_create|update_or_create|delete)\("
)


def python_files(*apps_of_ours: str) -> list[Path]:
    found = [path for app in apps_of_ours for path in sorted((ROOT / app).rglob("*.py"))]
    assert len(found) > 20
    return found


def test_only_traders_writes_its_tables() -> None:
    tables = {model._meta.db_table for model in apps.get_app_config("traders").get_models()}
    assert {"trader_config", "trader_config_versions", "prompt_texts", "trader_runtime_state"} <= tables
    writers = {
        f"{path.relative_to(ROOT)}: {table}"
        for path in python_files("trading", "nof0site", "demo")
        for table in WRITES.findall(path.read_text(encoding="utf-8"))
        if table in tables
    }
    assert writers == set()


def test_only_traders_writes_its_models() -> None:
    models = "|".join(model.__name__ for model in apps.get_app_config("traders").get_models())
    # From the manager on to the end of the expression: `TraderConfig.objects.filter(...).update(...)`.
    written = re.compile(rf"\b(?:{models})\.objects\b[^\n]*{WRITING_METHODS.pattern}")
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in python_files("trading", "nof0site", "demo")
        for match in written.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize("app", ["traders", "trading", "nof0site", "demo"])
def test_no_folder_is_too_large_to_be_read_at_once(app: str) -> None:
    folders = {path.parent for path in python_files(app)}
    crowded = {
        str(folder.relative_to(ROOT)): count
        for folder in folders
        if (count := len([path for path in folder.glob("*.py") if path.name != "__init__.py"])) > MOST_FILES
    }
    assert crowded == {}


def test_no_folder_is_for_all_subjects() -> None:
    folders = {path.parent for path in python_files("traders", "trading", "nof0site", "demo")}
    assert [str(folder) for folder in folders if folder.name in GENERAL_NAMES] == []
