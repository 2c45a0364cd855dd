"""Texts for people that plain Python makes: an English template with parameters, so that a page can translate it.

The template is the message id of gettext: `_("must be %(right)s, was %(value)s", right="...", value="...")`. Commands,
logs and the engine API show it in English, because a TranslatableText is a text. Pages translate it
(`traders.words.messages.translated`).
"""

from __future__ import annotations

from typing import Any


class TranslatableText(str):
    """An English text that still knows its template and parameters. A parameter may be another one, or an exception."""

    msgid: str
    params: dict[str, Any]

    def __new__(cls, msgid: str, /, **params: Any) -> TranslatableText:
        """Raises KeyError for a parameter of the template that is not given."""
        params = {name: message_of(one) if isinstance(one, BaseException) else one for name, one in params.items()}
        message = super().__new__(cls, msgid % params if params else msgid)
        message.msgid, message.params = msgid, params
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.msgid, self.params)


def _(msgid: str, /, **params: Any) -> TranslatableText:
    """A TranslatableText. `makemessages` finds the template by the name of this function, so it must be a literal."""
    return TranslatableText(msgid, **params)


def joined(separator: str, parts: list[TranslatableText]) -> TranslatableText:
    """Several messages as one, each translated by itself."""
    names = [f"part{number}" for number in range(len(parts))]
    return TranslatableText(separator.join(f"%({name})s" for name in names), **dict(zip(names, parts, strict=True)))


def verbatim(text: str) -> TranslatableText:
    """A text that is not ours to translate: what another program said, or a value."""
    return text if isinstance(text, TranslatableText) else TranslatableText("%(text)s", text=text)


def message_of(error: BaseException) -> TranslatableText:
    """What an exception says: its TranslatableText, else its text verbatim."""
    found = error.args[0] if error.args else ""
    return found if isinstance(found, TranslatableText) else verbatim(str(error))


class MessageError(Exception):
    """An exception whose text is a TranslatableText."""

    def __init__(self, message: TranslatableText) -> None:
        super().__init__(message)
        self.message = message


def _rebuilt(msgid: str, params: dict[str, Any]) -> TranslatableText:
    return TranslatableText(msgid, **params)
