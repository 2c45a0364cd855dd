"""Templates of the record: under their own name, and each one used."""

from __future__ import annotations

from pathlib import Path

import trading

OWN = Path(trading.__file__).parent / "templates"


def test_every_template_is_ours_and_used() -> None:
    root = OWN.parent
    sources = "".join(
        path.read_text()
        for folder in (root / "admin", root / "templatetags", OWN)
        for path in folder.rglob("*")
        if path.suffix in (".py", ".html")
    )
    found = {str(path.relative_to(OWN)) for path in OWN.rglob("*.html")}
    assert {name for name in found if not name.startswith("trading/")} == set()
    assert {name for name in found if Path(name).name not in sources} == set()
