"""The texts of the plain-Python layers in the language of the page."""

from __future__ import annotations

from django.utils.text import capfirst
from django.utils.translation import gettext

from traders.schema.messages import TranslatableText, message_of
from traders.schema.problems import InvalidConfig, Problem


def translated(text: str) -> str:
    """A TranslatableText in the active language, its parameters too; any other text as it is."""
    if not isinstance(text, TranslatableText):
        return text
    # gettext answers an empty id with the header of the catalogue.
    words = gettext(text.msgid) if text.msgid else ""
    return words % {name: translated(value) for name, value in text.params.items()} if text.params else words


def sentence(problem: Problem) -> str:
    """What a form shows at the field of a problem: `Must be a whole number, was '20x'.`"""
    words = capfirst(translated(problem.message))
    return words if words.endswith(".") else f"{words}."


def line(problem: Problem) -> str:
    """A problem with its place, for a list: `steady: allocation_pct must be a number, was '20x'`."""
    place = ": ".join(part for part in (problem.trader_id, problem.path) if part)
    return f"{place} {translated(problem.message)}".strip()


def why(error: BaseException) -> str:
    """What an exception says, for a message that goes on: `Nothing to export: there is no trader 'x'.`"""
    return "\n".join(map(line, error.problems)) if isinstance(error, InvalidConfig) else translated(message_of(error))
