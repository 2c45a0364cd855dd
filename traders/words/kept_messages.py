"""A message as JSON, so that a page can translate it later: the template beside its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from traders.schema.messages import TranslatableText, pgettext, verbatim

_TEMPLATE, _PARAMETERS, _CONTEXT = "@message", "@with", "@context"
_PLAIN = (str, int, float, bool, Decimal, type(None))


def kept(message: TranslatableText, clean: Callable[[str], str] = str) -> dict[str, Any]:
    """A message that was made of a text alone is a text."""
    said = {_TEMPLATE: message.msgid, _PARAMETERS: kept_parameters(message, clean)}
    return said | {_CONTEXT: message.context} if message.context else said


def kept_parameters(message: TranslatableText, clean: Callable[[str], str] = str) -> dict[str, Any]:
    """`clean` takes secrets out of each text that is no template."""
    return {name: _kept(value, clean) for name, value in message.params.items()}


def read_message(value: Any) -> TranslatableText:
    """Of what `kept` made. A plain text, such as an older release wrote, is read as it is."""
    if isinstance(value, Mapping) and isinstance(value.get(_TEMPLATE), str):
        return message_with(value[_TEMPLATE], value.get(_PARAMETERS) or {}, str(value.get(_CONTEXT) or ""))
    return verbatim(str(value))


def message_with(template: str, parameters: Mapping[str, Any], context: str = "") -> TranslatableText:
    """A message whose parameters do not fit its template is the template."""
    try:
        return pgettext(context, template, **{name: _read(value) for name, value in parameters.items()})
    except (KeyError, TypeError, ValueError):
        return verbatim(template)


def encoded(value: Any) -> Any:
    """For the `enc_hook` of msgspec."""
    return kept(value) if isinstance(value, TranslatableText) else str(value)


def decoded(kind: type[Any], value: Any) -> Any:
    """For the `dec_hook` of msgspec. Raises TypeError for another type than TranslatableText."""
    if kind is not TranslatableText:
        raise TypeError(f"only a TranslatableText is read here, not {kind}")
    return read_message(value)


def _kept(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, TranslatableText):
        return kept(value, clean)
    if isinstance(value, str):
        return clean(value)
    return value if isinstance(value, _PLAIN) else clean(str(value))


def _read(value: Any) -> Any:
    return read_message(value) if isinstance(value, Mapping) and _TEMPLATE in value else value
