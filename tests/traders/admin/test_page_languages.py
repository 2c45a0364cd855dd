"""A page in Chinese holds no English but names, ids, code and what a person typed; a page in English no Chinese."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.traders.admin.addresses import FAMILIES, address
from tests.traders.admin.people import browser_of
from traders.accounts.rules import Role

pytestmark = pytest.mark.usefixtures("fleet")

CHINESE = re.compile("[\u4e00-\u9fff]")
ENGLISH = re.compile(r"(?<![\w./@:-])[A-Za-z][a-z]{2,}(?![\w/@:-]|\.\w)")


def of(*lines: str) -> set[str]:
    return set(" ".join(lines).split())


# Names of products, formats, units, keys and codes, which both languages write alike.
ALIKE = of(
    "NOF0 Control Command Mac Redis Valkey PostgreSQL Django Slack Webhook JSON YAML CSV zip USD USDT BTC ETH SOL",
    "bps token English null Modified Dietz",
)
# Values as files and programs write them, ids of rules, words that are typed, and what the tests named or said why.
DATA = of(
    "isolated cross prometheus file hash string fleet hyperliquid simulated budget candidate adopt long short flat",
    "Steady Long Quick Short admin mei Mei ada lee Lee Auditors ops Ops engine Engine Budget once",
    "to look more capital because test sample system restore guard cli",
)
UNREAD = ("script", "style", "code", "pre", "kbd", "samp", "textarea", "svg", "time", "template")
SAID = ("title", "aria-label", "placeholder", "alt", "data-label")


class Reader(HTMLParser):
    """Collects the texts of a page that are read by people or screen readers."""

    VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        own = "notranslate" in (said.get("class") or "") or said.get("translate") == "no"
        own = own or "material-symbols" in (said.get("class") or "")
        unread = tag in UNREAD or own or (bool(self.open) and self.open[-1][1])
        if not unread:
            self.texts += [text for name in SAID if (text := said.get(name))]
            if tag == "input" and said.get("type") in ("submit", "button"):
                self.texts.append(said.get("value") or "")
        if tag not in self.VOID:
            self.open.append((tag, unread))

    def handle_endtag(self, tag: str) -> None:
        while self.open and any(one == tag for one, _ in self.open):
            if self.open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1][1]) and data.strip():
            self.texts.append(" ".join(data.split()))


def texts(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    return reader.texts


@pytest.mark.parametrize("family", FAMILIES)
def test_a_page_speaks_one_language(family: str) -> None:
    # Each has a browser of its own: a message waits in the language of the page that it was made on.
    browsers = {"zh-CN": (browser_of(Role.ADMIN), ENGLISH), "en": (browser_of(Role.ADMIN), CHINESE)}
    wrong = []
    for route in FAMILIES[family]:
        there = address(route)
        for language, (admin, foreign) in browsers.items():
            answer = admin.get(there, headers={"Accept-Language": language})
            if "text/html" not in answer.headers.get("Content-Type", "") or answer.status_code >= 400:
                continue
            found = {text for text in texts(answer.text) if set(foreign.findall(text)) - ALIKE - DATA}
            wrong += [f"{there} in {language}: {text}" for text in sorted(found - {"简体中文"})]
    assert not wrong, "\n".join(wrong)
