"""The documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from traders.schema.settings.reference import settings_reference
from trading.live.reference import in_document

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_reference_of_settings_is_what_the_declarations_say() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == settings_reference(), (
        "run: python manage.py describe_settings > docs/settings.md"
    )


def test_the_page_of_the_live_store_is_what_the_declarations_say() -> None:
    page = ROOT / "docs" / "redis.md"

    assert page.read_text() == in_document(page.read_text()), "run: python manage.py livestore reference"


def test_every_command_of_ours_is_described() -> None:
    ours = {name for name, app in get_commands().items() if app in ("traders", "trading", "nof0site")}
    text = "\n".join(page.read_text() for page in DOCS)

    assert ours
    assert {name for name in ours if name not in text} == set()


def test_every_setting_of_the_environment_is_described() -> None:
    read = set(re.findall(r"env_\w+\(\s*\"([A-Z0-9_]+)\"", (ROOT / "nof0site" / "settings.py").read_text()))
    example = (ROOT / ".env.example").read_text()

    assert read
    assert {name for name in read if name not in example} == set()


def test_every_picture_is_shown() -> None:
    shown = set(re.findall(r"images/([\w/-]+\.png)", "\n".join(page.read_text() for page in DOCS)))
    images = ROOT / "docs" / "images"
    assert {str(picture.relative_to(images)) for picture in images.rglob("*.png")} == shown


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())

    local = [target for target in targets if not target.startswith(("http://", "https://"))]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = set(re.findall(r"`((?:\w+/)+\w+\.(?:py|html|md|yaml|toml))`", page.read_text()))

    assert [name for name in sorted(named) if not any((root / name).exists() for root in _places())] == []


def test_folders_of_the_layout_exist() -> None:
    layout = (ROOT / "docs" / "architecture.md").read_text().split("## Layout", 1)[1].split("```")[1]
    folders = set(re.findall(r"\b([a-z_]+)/(?=[ \n])", layout))

    assert len(folders) > 50
    known = {path.name for app in ("nof0site", "traders", "trading") for path in (ROOT / app).rglob("*")}
    known |= {path.name for path in (*ROOT.iterdir(), *(ROOT / "tests").iterdir())}
    assert sorted(folders - known) == []


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_functions_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"`((?:\w+/)+\w+\.py)::(\w+)`", page.read_text())

    assert [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"^(?:async )?(?:def|class) {name}\b", (ROOT / file).read_text(), re.MULTILINE)
    ] == []


def _places() -> list[Path]:
    """A page names a file from the top, or from its app, where the app is clear."""
    return [ROOT, ROOT / "traders", ROOT / "trading", ROOT / "nof0site"]
