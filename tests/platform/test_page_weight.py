"""How many bytes a page costs at a first visit, and that the fonts served hold every icon in use."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client

from scripts.fonts import FONTS, ICON_FONT, ICON_LIST, ligatures, named
from tests.factories import make_trader, sync_traders

KB = 1000
STATIC = "/static/"
_ADDRESS = re.compile(r"(?:src|href)=\"/static/([^\"?]+\.(?:css|js|svg|png))\"")
_IN_STYLES = re.compile(r"url\(['\"]?([^'\")]+\.woff2)['\"]?\)")


def source(name: str) -> Path:
    found = finders.find(name)
    assert isinstance(found, str), name
    return Path(found)


def weight(client: Client, address: str) -> Counter[str]:
    """{kind: bytes} of the page and all that it loads, compressed as the site sends it."""
    answer = client.get(address)
    assert answer.status_code == 200
    page = answer.content.decode()
    found = Counter(html=len(gzip.compress(page.encode())))
    for name in set(_ADDRESS.findall(page)):
        content = source(name).read_bytes()
        found[name.rpartition(".")[2]] += len(gzip.compress(content))
        if name.endswith(".css"):
            folder = Path(name).parent
            for font in _IN_STYLES.findall(content.decode()):
                found["fonts"] += source((folder / font).as_posix()).stat().st_size
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/admin/login/", "/admin/", "/admin/traders/traderconfig/"])
def test_a_first_visit_costs_few_bytes(client: Client, address: str) -> None:
    if "login" not in address:
        sync_traders(*(make_trader(f"trader_{number}", allocation_pct=1) for number in range(50)))
        client.force_login(User.objects.create_superuser("ada"))
    found = weight(client, address)
    assert found.total() - found["fonts"] <= 300 * KB, found
    assert found["js"] <= 110 * KB, found
    assert 0 < found["fonts"] <= 100 * KB, found


def test_the_charts_of_the_theme_are_not_served() -> None:
    assert source("unfold/js/chart/chart.js").stat().st_size < 1 * KB


def test_no_template_has_a_chart_of_the_theme() -> None:
    """Its script is not served; our charts are drawn by another."""
    drawn = [
        path.name
        for path in Path("templates").rglob("*.html")
        if re.search(r"<canvas|components/chart", path.read_text())
    ]
    assert drawn == []


def test_the_list_names_every_icon_that_the_font_holds_and_the_sites_uses() -> None:
    fonts = pytest.importorskip("fontTools.ttLib", reason="fonttools comes with requirements-dev.txt")
    served = {name for _table, _first, name, _ligature in ligatures(fonts.TTFont(FONTS / ICON_FONT))}
    whole = Path(finders.find(f"unfold/fonts/{ICON_FONT}", find_all=True)[-1])
    every = {name for _table, _first, name, _ligature in ligatures(fonts.TTFont(whole))}
    assert served == every & named(), "make the icons again: .venv/bin/python scripts/fonts.py"
    assert served == set(ICON_LIST.read_text().split())
