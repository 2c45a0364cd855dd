"""The documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from traders.schema.settings.reference import settings_reference
from trading.live.reference import in_document

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


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
