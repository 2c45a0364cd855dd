"""Texts for people that plain Python makes: an English template with parameters, so that a page can translate it.

The template is the message id of gettext: `_("must be %(right)s, was %(value)s", right="...", value="...")`. Commands,
logs and the engine API show it in English, because a TranslatableText is a text. Pages translate it
(`traders.words.messages.translated`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


class TranslatableText(str):
    """An English text with its template and parameters. A parameter may be another TranslatableText or an exception."""

    msgid: str
    params: dict[str, Any]
    context: str
    """Which of several meanings the template has here, for translators; empty for most."""

    def __new__(cls, msgid: str, /, **params: Any) -> TranslatableText:
        """Raises KeyError for a parameter of the template that is not given."""
        params = {name: message_of(one) if isinstance(one, BaseException) else one for name, one in params.items()}
        message = super().__new__(cls, msgid % params if params else msgid)
        message.msgid, message.params, message.context = msgid, params, ""
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.msgid, self.params, self.context)


class MomentText(str):
    """`2026-11-01 14:05:30 UTC`, or without the seconds, as a parameter of a message. Pages write it in the zone of
    their viewer."""

    moment: datetime
    has_seconds: bool

    def __new__(cls, moment: datetime, *, has_seconds: bool = True) -> MomentText:
        form = "%Y-%m-%d %H:%M:%S" if has_seconds else "%Y-%m-%d %H:%M"
        text = super().__new__(cls, f"{moment.astimezone(UTC):{form}} UTC")
        text.moment, text.has_seconds = moment, has_seconds
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return _moment_rebuilt, (self.moment, self.has_seconds)


def _(msgid: str, /, **params: Any) -> TranslatableText:
    """A TranslatableText. `makemessages` finds the template by the name of this function, so it must be a literal."""
    return TranslatableText(msgid, **params)


def pgettext(context: str, msgid: str, /, **params: Any) -> TranslatableText:
    """A TranslatableText that English says in the same words as another: `context` tells translators which is meant."""
    message = TranslatableText(msgid, **params)
    message.context = context
    return message


def gettext_noop(msgid: str) -> str:
    """Marks a template for makemessages that becomes a TranslatableText later."""
    return msgid


def joined(separator: str, parts: list[TranslatableText]) -> TranslatableText:
    """Several messages as one, each translated by itself."""
    names = [f"part{number}" for number in range(len(parts))]
    return TranslatableText(separator.join(f"%({name})s" for name in names), **dict(zip(names, parts, strict=True)))


def verbatim(text: str) -> TranslatableText:
    """A text that is not translated: of another program, or a value."""
    return text if isinstance(text, TranslatableText) else TranslatableText("%(text)s", text=text)


def message_of(error: BaseException) -> TranslatableText:
    """The TranslatableText of an exception, else its text verbatim."""
    found = error.args[0] if error.args else ""
    return found if isinstance(found, TranslatableText) else verbatim(str(error))


class MessageError(Exception):
    """An exception whose text is a TranslatableText."""

    def __init__(self, message: TranslatableText) -> None:
        super().__init__(message)
        self.message = message


def _moment_rebuilt(moment: datetime, has_seconds: bool) -> MomentText:
    return MomentText(moment, has_seconds=has_seconds)


def _rebuilt(msgid: str, params: dict[str, Any], context: str) -> TranslatableText:
    return pgettext(context, msgid, **params)
