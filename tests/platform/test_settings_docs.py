"""Every setting is documented, and nothing else is."""

from __future__ import annotations

import re

import pytest

from tests.platform.processes import CHECKOUT
from trading.alarms.rules.channels import FLEET_SECRET

READ = re.compile(r"\benv_(?:str|bool|int|list|secret|zone)\(\s*\"([A-Z_0-9]+)\"")
# Read by the tests, not by the site.
TEST_SETTINGS = {
    *("TEST_DATABASE_URL", "TEST_REDIS_URL", "TEST_CITUS_URL", "TEST_CITUS_WORKER_URL"),
    *("CHROMIUM", "REQUIRE_BROWSER"),
}


# A secret of alarms, which channels read by its name, and what language models are asked with.
SECRETS_BY_NAME = {FLEET_SECRET, "LLM_BASE_URL", "LLM_API_KEY"}


def settings_read() -> set[str]:
    sources = [path.read_text(encoding="utf-8") for path in (CHECKOUT / "nof0site").rglob("*.py")]
    return {name for source in sources for name in READ.findall(source)}


def test_the_example_lists_every_setting_and_no_other() -> None:
    example = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
    assert (
        set(re.findall(r"^#([A-Z_0-9]+)=", example, re.MULTILINE)) == settings_read() | TEST_SETTINGS | SECRETS_BY_NAME
    )


@pytest.mark.parametrize("name", sorted(settings_read() | TEST_SETTINGS | SECRETS_BY_NAME))
def test_operations_explains_the_setting(name: str) -> None:
    assert f"`{name}`" in (CHECKOUT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_operations_explains_every_target_of_make() -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    operations = (CHECKOUT / "docs" / "operations.md").read_text(encoding="utf-8")
    internal = {"help", "packages", "packages-dev"}
    assert [name for name in targets if name not in internal and f"`make {name}`" not in operations] == []


def test_the_tests_set_aside_every_setting_of_this_machine() -> None:
    source = (CHECKOUT / "tests" / "settings.py").read_text(encoding="utf-8")
    named = set(re.findall(r"\"([A-Z][A-Z_0-9]+)\"", source))
    # It says nothing about what a page shows.
    assert settings_read() - named == {"WEB_WORKERS"}
