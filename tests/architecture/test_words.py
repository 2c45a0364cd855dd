"""Words that the glossary gives up are in no page, message, name or document."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
# {the word, as it is found in text and in names: what the glossary says in its place}
GIVEN_UP = {
    r"(?i:(?<![a-z])desks?(?![a-z]))|[a-z]Desk": "fleet, or site; templates: config_page, load display, class page",
    r"(?i:(?<![a-z])br(ing|ings|inging|ought)[ _](\w+[ _]){0,2}back(?![a-z])|un-retire)": "unretire, undo or restore",
    r"(?i:(?<![a-z])t(ake|akes|aking|ook|aken)[ _-](\w+[ _]){0,2}back(?![a-z]))|TakingBack": "undo, or include again",
    r"(?i:(?<![a-z])revert(s|ed|ing)?(?![a-z]))": "undo",
    r"(?i:(?<![a-z])talks?(?![a-z]))|[a-z]Talk|Talk[A-Z]": "conversation",
}
# {a word that pages and messages do not say, though code may for another concept: what they say}
NOT_ON_PAGES = {
    "revisions?": "version",
    "heartbeats?": "report",
    "bots?": "trader, or engine",
    "agents?": "trader",
    "brokers?": "exchange provider",
    "holdings?": "position",
    "fees?": "commission",
    "outcomes?": "result",
    "complaints?": "problem",
    "masked": "redacted",
    "skipped": "left out",
}
TEXT_IN_TEMPLATE = re.compile(r"{% translate \"(.*?)\"|{% blocktranslate.*?%}(.*?){% endblocktranslate %}", re.DOTALL)
MESSAGES = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "gettext_noop"}
# Not the concept: what an exchange or Telegram calls so.
SAID_BY_OTHERS = {"a Telegram bot token"}
# Migrations stay as they were applied.
FOLDERS = ("traders", "trading", "nof0site", "demo", "templates", "clients", "docs", "benchmarks", "scripts", "tests")
MAY_SAY_THEM = ("docs/glossary.md", "tests/architecture/test_words.py")
# An address or a key that another program chose.
FOREIGN = re.compile(
    r"""DESK_TIMEZONE|sidebarDesktopOpen"""
    r"""|desk\.(webhook|example|test)\b|desk[:@]|/desk\b|extra\.desk|"desk": "|\bdesk: Zurich"""
)
TEXT = {".py", ".html", ".js", ".css", ".md", ".json", ".toml", ".txt", ".yaml", ".po", ".example"}


def texts() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in TEXT]
    found += [path for path in ROOT.iterdir() if path.suffix in TEXT]
    assert len(found) > 900
    return [
        path
        for path in sorted(found)
        if "node_modules" not in path.parts and str(path.relative_to(ROOT)) not in MAY_SAY_THEM
    ]


@pytest.mark.parametrize("word", GIVEN_UP)
def test_no_text_and_no_name_says_a_word_that_the_glossary_gave_up(word: str) -> None:
    pattern = re.compile(word)
    said = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(FOREIGN.sub("", line))
    ]
    assert said == [], f"docs/glossary.md: {GIVEN_UP[word]}"


def messages() -> dict[str, str]:
    """{text that people read: its file}, of templates and of calls of gettext."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "templates").rglob("*.html")):
        for match in TEXT_IN_TEMPLATE.finditer(path.read_text(encoding="utf-8")):
            found[re.sub(r"{{.*?}}", "", match[1] or match[2])] = str(path.relative_to(ROOT))
    for app in ("traders", "trading", "nof0site", "demo"):
        for path in sorted((ROOT / app).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in MESSAGES:
                    for part in node.args:
                        if isinstance(part, ast.Constant) and isinstance(part.value, str):
                            found[re.sub(r"%\(\w+\)", "", part.value)] = str(path.relative_to(ROOT))
    assert len(found) > 1500
    return found


def test_pages_and_messages_use_the_words_of_the_glossary() -> None:
    said = [
        f"{path}: {text.strip()[:80]!r}: say {instead}"
        for text, path in messages().items()
        if text not in SAID_BY_OTHERS
        for word, instead in NOT_ON_PAGES.items()
        if re.search(rf"\b{word}\b", text, re.IGNORECASE)
    ]
    assert said == []
