"""Each rule of the catalogue is watched or raised by something, and its advice names what to press."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from trading.alarms.rules.catalogue import CHANGEABLE, AlarmName, AlarmRule, Ending
from trading.alarms.watching.services import watchers

QUOTED = re.compile("“([^”]+)”")
RAISED = {AlarmName.GUARD_FIRED, AlarmName.BUDGET}
"""By guards, where they look."""
# Nothing on a page helps: the machine or its files must be looked at.
BY_HAND = {
    *(AlarmName.EXPORTER_RESTARTED, AlarmName.EXPORT_LATE, AlarmName.STORE_AWAY, AlarmName.BACKUP_OLD),
    *(AlarmName.ENGINE_CLOCK, AlarmName.CLOSE_WITHOUT_TRADE, AlarmName.EQUITY_STALE),
}


def test_every_rule_is_watched_or_raised_by_a_guard() -> None:
    assert {rule.name for rule in CHANGEABLE} == set(watchers()) | RAISED


@pytest.mark.parametrize("rule", CHANGEABLE, ids=lambda rule: rule.name.value)
def test_its_advice_names_what_to_press(rule: AlarmRule) -> None:
    named = QUOTED.findall(str(rule.advice))
    shown = _words_of_pages()

    assert bool(named) is (rule.name not in BY_HAND)
    assert [name for name in named if name not in shown] == []
    assert ("“Acknowledge”" in rule.advice) is (rule.ending is Ending.BY_PERSON)


def _words_of_pages() -> str:
    """What buttons, links and the menu say."""
    root: Path = settings.BASE_DIR
    files = [*(root / "templates").rglob("*.html"), root / "nof0site" / "unfold.py"]
    files += [root / "traders" / "controls" / "words.py"]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)
