"""Templates lie at the top level, under names of our own, and each one is used."""

from __future__ import annotations

import re
from pathlib import Path

from django.template.loader import get_template
from django.template.utils import get_app_template_dirs

ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / "templates"
FAMILIES = {"traders", "trading", "nof0site"}
LONGEST_LINE = 200
NAMES = sorted(str(path.relative_to(OWN)) for path in OWN.rglob("*.html"))
SOURCES = [*OWN.rglob("*.html")]
SOURCES += [path for app in sorted(FAMILIES) for path in (ROOT / app).rglob("*.py")]


def test_every_family_has_templates() -> None:
    assert {name.partition("/")[0] for name in NAMES} == FAMILIES
    # A walk that finds nothing would agree with everything below.
    assert len(NAMES) >= 90


def test_no_template_of_the_theme_or_of_django_is_overridden() -> None:
    for name in NAMES:
        assert Path(get_template(name).template.origin.name) == OWN / name  # type: ignore[attr-defined]
    shadowed = [
        str(folder / name)
        for name in NAMES
        for folder in map(Path, get_app_template_dirs("templates"))
        if (folder / name).exists()
    ]
    assert shadowed == []


def test_no_app_has_templates_of_its_own() -> None:
    assert [str(path) for app in FAMILIES for path in (ROOT / app).rglob("*.html")] == []


def test_every_template_is_used() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    assert [name for name in NAMES if Path(name).name not in text] == []


def test_every_template_that_is_named_exists() -> None:
    named = {
        name
        for path in SOURCES
        for name in re.findall(
            r"[\"']((?:traders|trading|nof0site)/[\w/]+\.html)[\"']", path.read_text(encoding="utf-8")
        )
    }
    assert len(named) >= 50
    assert sorted(named - set(NAMES)) == []


def test_no_line_is_too_long_to_read() -> None:
    long = {
        f"{name}:{number}"
        for name in NAMES
        for number, line in enumerate((OWN / name).read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > LONGEST_LINE
    }
    assert long == set(), "break a line where a page has a space, or with `{% blocktranslate trimmed %}`"
