"""Reasons that the product gave by itself, in the language of the page. What a person typed stays as it is.

History keeps a reason as a text, in English. One that has the form of a template below is shown by its translation.
"""

from __future__ import annotations

import re

from django.utils.translation import get_language, gettext

from traders.schema.messages import gettext_noop

_TEMPLATES = (
    *(gettext_noop("emergency"), gettext_noop("initial"), gettext_noop("the manager started")),
    gettext_noop("sync of %(file)s"),
    gettext_noop("Settings of %(id)s v%(version)s"),
    gettext_noop("records of it in %(file)s"),
    gettext_noop("closed by %(who)s"),
    gettext_noop("%(count)s losses in a row, limit %(limit)s"),
    gettext_noop("first capital: its own on paper"),
    gettext_noop("first capital: %(pct)s %% of the fleet's equity"),
    gettext_noop("v%(version)s has %(usd)s USD of the fleet's equity, v%(ran)s had %(was)s"),
    # Of guards: trading.guards.rules.standing.
    gettext_noop("%(label)s %(used)s has reached the limit of %(limit)s; %(lifts)s"),
    gettext_noop("it ends at %(until)s, or when a person resumes the trader"),
    gettext_noop("it ends with the cooldown of the symbol"),
    gettext_noop("it ends by itself below the limit"),
    gettext_noop("it ends when a person resumes the trader"),
)
_PARAMETER = re.compile(r"%\\\((\w+)\\\)s")
_FIGURES = ("used", "limit", "usd", "was", "pct", "count")
"""Parameters that begin with a digit or a minus."""


def _form(template: str) -> re.Pattern[str]:
    def place(found: re.Match[str]) -> str:
        return f"(?P<{found[1]}>{'[-0-9].*?' if found[1] in _FIGURES else '.+?'})"

    return re.compile(_PARAMETER.sub(place, re.escape(template)).replace("%%", "%"))


_FORMS = [(text, _form(text)) for text in _TEMPLATES]
_IN_PARTS = ("label", "lifts")
"""Parameters that are texts of the product too."""


# Words of engines and guards for cooldowns alone: a person who types one of them elsewhere means it as it stands.
_OF_COOLDOWNS = {
    "close_position": gettext_noop("close position"),
    "closed": gettext_noop("closed"),
    "consecutive_losses": gettext_noop("consecutive losses"),
    "stop_loss": gettext_noop("stop loss"),
}


def cooldown_words(reason: str) -> str:
    """Why a symbol cools down; what no program of ours writes, as its engine wrote it."""
    known = _OF_COOLDOWNS.get(reason)
    return gettext(known) if known else reason_words(reason.replace("_", " "))


def reason_words(reason: str) -> str:
    if get_language() == "en":
        return reason
    for template, form in _FORMS:
        if found := form.fullmatch(reason):
            if not form.groups:
                return gettext(template)
            given = {name: _part(value) if name in _IN_PARTS else value for name, value in found.groupdict().items()}
            return gettext(template) % given
    return reason


def _part(text: str) -> str:
    whole = reason_words(text)
    return gettext(text) if whole == text else whole
