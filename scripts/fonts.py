"""Makes the fonts that the site serves in place of the theme's: only the icons in use, and one variable text font.

    .venv/bin/python scripts/fonts.py                              # the icons, again after one came into use
    .venv/bin/python scripts/fonts.py --inter InterVariable.woff2  # the text font, of the npm package inter-ui 4.1.1

The theme's icon font has thousands of icons; an icon is the ligature of its name. What is written is committed.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
THEME = Path(next(iter(find_spec("unfold").submodule_search_locations)))  # type: ignore[union-attr, arg-type]
FONTS = ROOT / "nof0site" / "theme" / "unfold" / "fonts"
ICON_FONT = Path("material-symbols") / "Material-Symbols-Outlined.woff2"
ICON_LIST = FONTS / "material-symbols" / "icons.txt"
TEXT_FONT = FONTS / "inter" / "InterVariable-subset.woff2"
CODE = ("nof0site", "traders", "trading", "demo")
# Latin, Latin-1 and Latin Extended-A and B, punctuation, currencies, arrows, signs of mathematics, and marks of tables.
# Other scripts, such as Chinese, come from the fonts of the reader's system.
CHARACTERS = (
    *((0x20, 0x7E), (0xA0, 0x24F), (0x2B0, 0x2FF), (0x300, 0x30F), (0x3BC, 0x3BC), (0x1E00, 0x1EFF)),
    *((0x2000, 0x206F), (0x2070, 0x209F), (0x20A0, 0x20C0), (0x2100, 0x214F), (0x2190, 0x21FF), (0x2200, 0x22FF)),
    *((0x25A0, 0x25FF), (0x2700, 0x27BF)),
)
FEATURES = ["calt", "case", "ccmp", "kern", "locl", "mark", "mkmk", "pnum", "tnum", "zero"]
WEIGHTS = (400, 700)
_WORD = re.compile(r"[a-z][a-z0-9_]+|\d[a-z0-9_]+")
_IN_TEMPLATE = (
    re.compile(r"material-symbols-outlined[^>]*>(.*?)</", re.DOTALL),
    re.compile(r"\bicon=(\"[^\"]*\"|'[^']*')"),
)
_TEXT = re.compile(r"\"([a-z0-9_]+)\"|'([a-z0-9_]+)'")


def named() -> set[str]:
    """Every word that may name an icon: in the place of one in a template, or a text of code that speaks of icons."""
    return set(_words())


def _words() -> Iterator[str]:
    for folder in (ROOT / "templates", THEME / "templates"):
        for path in folder.rglob("*.html"):
            text = path.read_text(encoding="utf-8")
            for pattern in _IN_TEMPLATE:
                for found in pattern.findall(text):
                    yield from _WORD.findall(found)
    for folder in (*(ROOT / name for name in CODE), THEME):
        for path in (*folder.rglob("*.py"), *folder.rglob("*.js")):
            text = path.read_text(encoding="utf-8")
            if "icon" in text and "/migrations/" not in str(path):
                for either in _TEXT.findall(text):
                    yield "".join(either)


def ligatures(font: Any) -> Iterator[tuple[Any, str, str, Any]]:
    """(table, first glyph, name, ligature) of each icon."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            for first, found in getattr(table, "ligatures", {}).items():
                for ligature in found:
                    yield table, first, "".join(letters.get(one, "?") for one in (first, *ligature.Component)), ligature


def make_icons() -> list[str]:
    """Writes the font and the list of its icons; their names."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    font = TTFont(THEME / "static" / "unfold" / "fonts" / ICON_FONT, recalcTimestamp=False)
    words, kept = named(), set()
    for table, first, name, ligature in list(ligatures(font)):
        if name in words:
            kept.add(name)
        else:
            table.ligatures[first].remove(ligature)
    subsetter = Subsetter(Options(layout_features=["*"], flavor="woff2"))
    subsetter.populate(text="".join(sorted(set("".join(kept)))))
    subsetter.subset(font)
    font.flavor = "woff2"
    font.save(FONTS / ICON_FONT)
    ICON_LIST.write_text("".join(f"{name}\n" for name in sorted(kept)), encoding="ascii")
    return sorted(kept)


def make_text(source: Path) -> None:
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    font = TTFont(source, recalcTimestamp=False)
    subsetter = Subsetter(Options(layout_features=FEATURES, flavor="woff2"))
    subsetter.populate(unicodes=[code for first, last in CHARACTERS for code in range(first, last + 1)])
    subsetter.subset(font)
    font = instancer.instantiateVariableFont(font, {"opsz": 14, "wght": WEIGHTS})
    font.flavor = "woff2"
    font.save(TEXT_FONT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inter", type=Path, metavar="FILE", help="make the text font of this one too")
    source = parser.parse_args().inter
    icons = make_icons()
    print(f"{len(icons)} icons, {(FONTS / ICON_FONT).stat().st_size:,} bytes")
    if source:
        make_text(source)
        print(f"text font, {TEXT_FONT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
