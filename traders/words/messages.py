"""The texts of the plain-Python layers in the language of the page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext, pgettext

from traders.schema.messages import MomentText, TranslatableText, message_of
from traders.schema.problems import InvalidConfig, Problem
from traders.words.reasons import reason_words
from traders.words.zones import exact, to_the_minute

# What `joined` of traders.schema.messages makes.
_JOINED = re.compile(r"%\(part0\)s(?:(, |; )%\(part\d+\)s)+")
_ENDS = (".", "!", "?", ":", "。", "！", "？", "：")


def translated(text: str) -> str:
    """A TranslatableText in the active language, its parameters too; any other text as it is."""
    if isinstance(text, MomentText):
        return exact(text.moment) if text.has_seconds else to_the_minute(text.moment)
    if not isinstance(text, TranslatableText):
        return text
    words = _template(text)
    return words % {name: _shown(name, value) for name, value in text.params.items()} if text.params else words


def _shown(name: str, value: Any) -> Any:
    return reason_words(value) if name == "reason" and type(value) is str else translated(value)


def _template(text: TranslatableText) -> str:
    if text.context:
        return pgettext(text.context, text.msgid)
    if found := _JOINED.fullmatch(text.msgid):
        return text.msgid.replace(found[1], _separator(found[1]))
    # gettext answers an empty id with the header of the catalogue.
    return gettext(text.msgid) if text.msgid else ""


def _separator(sign: str) -> str:
    return pgettext("between the parts of a list", "; ") if sign == "; " else pgettext("between items", ", ")


def listed(parts: Iterable[Any]) -> str:
    """Items in one line, with the comma of the language."""
    return _separator(", ").join(str(part) for part in parts)


def clauses(parts: Iterable[Any]) -> str:
    """Parts of a sentence in one line: `2 positions; 1 without a stop`."""
    return _separator("; ").join(str(part) for part in parts)


def ended(words: str) -> str:
    """With a full stop, unless the words end with a sign of their own."""
    return words if words.endswith(_ENDS) else gettext("%(sentence)s.") % {"sentence": words}


def with_value(label: str, value: Any) -> str:
    """`label: value`, with the colon of the language."""
    return gettext("%(label)s: %(value)s") % {"label": label, "value": value}


def with_unit(label: str, unit: str) -> str:
    """The head of a column: `net P&L, USD`."""
    return gettext("%(label)s, %(unit)s") % {"label": label, "unit": unit} if unit else label


def sentence(problem: Problem) -> str:
    """What a form shows at the field of a problem: `Must be a whole number, was '20x'.`"""
    return ended(capfirst(translated(problem.message)))


def line(problem: Problem) -> str:
    """A problem with its place, for a list: `steady: allocation_pct must be a number, was '20x'`."""
    place = ": ".join(part for part in (problem.trader_id, problem.path) if part)
    return f"{place} {translated(problem.message)}".strip()


def why(error: BaseException) -> str:
    """What an exception says, for a message that goes on: `Nothing to export: there is no trader 'x'.`"""
    return "\n".join(map(line, error.problems)) if isinstance(error, InvalidConfig) else translated(message_of(error))
