"""Every form in which a person types a reason keeps it as a draft."""

from __future__ import annotations

import re
from pathlib import Path

TEMPLATES = Path(__file__).parents[3] / "templates"
TYPED = re.compile(r"form\.reason|parts/reason\.html|parts/control_fields\.html|form\.visible_fields")
# Opened by a link in a message, without an account that a draft could belong to.
WITHOUT_ACCOUNT = {"trading/alarm_link.html"}


def test_every_form_with_a_reason_has_a_draft() -> None:
    found = {}
    for template in TEMPLATES.rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        if 'method="post"' in text and TYPED.search(text):
            found[str(template.relative_to(TEMPLATES))] = "{% draft " in text and "{% draft_notice %}" in text

    assert len(found) > 12
    assert {name for name, has_draft in found.items() if not has_draft} == WITHOUT_ACCOUNT
