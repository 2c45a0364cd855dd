"""The theme stays the theme's: we override none of its templates, so that an upgrade cannot be shadowed."""

from __future__ import annotations

from pathlib import Path

import traders

OWN = Path(traders.__file__).parent / "templates"
OVERRIDDEN: set[str] = set()


def test_no_template_of_the_theme_or_of_django_is_overridden() -> None:
    found = {str(path.relative_to(OWN)) for path in OWN.rglob("*.html")}
    assert {name for name in found if not name.startswith("traders/")} == OVERRIDDEN


def test_every_template_is_used() -> None:
    root = OWN.parent
    sources = "".join(
        path.read_text()
        for folder in (root / "admin", root / "templatetags", OWN)
        for path in folder.rglob("*")
        if path.suffix in (".py", ".html")
    )
    unused = {path.name for path in OWN.rglob("*.html") if sources.count(path.name) == 0}
    assert unused == set()
