"""One leaf's value as a detail page writes it, to its last digit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from traders.words import settings as words
from traders.words.messages import listed
from trading.schema.leaf import Leaf, LeafKind
from trading.templatetags.record import NONE, exact_moment, moment_of, signed, span, value_word, version_mark

_CENTS = 2
_GAINS = ("pnl", "pnl.net", "pnl.gross")


def shown(leaf: Leaf, value: Any, trader_id: str) -> SafeString | str:
    """Unknown is a dash. A version of 0 is the time before the first."""
    if value is None or value == "" or value == [] or value == {}:
        return NONE
    if leaf.kind is LeafKind.VERSION:
        return version_mark(trader_id, value)
    if leaf.kind is LeafKind.MONEY and leaf.path.endswith(_GAINS):
        return signed(Decimal(value), exact_money(abs(Decimal(value))))
    write: Callable[[Any], SafeString | str] = _WRITERS.get(leaf.kind, _text)
    return write(value)


def exact_money(amount: Any) -> str:
    """Every digit, and cents at least."""
    text = _number(amount)
    whole, _point, cents = text.partition(".")
    return f"{whole}.{cents.ljust(_CENTS, '0')}"


def _number(value: Any) -> str:
    return words.number(value).replace("-", "−") if isinstance(value, Decimal | int) else str(value)


def _seconds(value: Decimal | int) -> SafeString:
    return format_html('{} <span class="faint">{} {}</span>', span(int(value * 1000)), words.number(value), _("s"))


def _flag(value: bool) -> str:
    return _("yes") if value else _("no")


def _identifier(value: int | str) -> SafeString:
    return format_html("<code>{}</code>", value)


def _text(value: Any) -> SafeString | str:
    if isinstance(value, Mapping):
        return format_html_join("", '<span class="pair">{}: {}</span> ', value.items())
    if isinstance(value, list | tuple):
        return listed(value)
    if isinstance(value, Decimal):
        return _number(value)
    return value_word(str(value))


_WRITERS: Mapping[LeafKind, Callable[[Any], SafeString | str]] = {
    LeafKind.MONEY: exact_money,
    LeafKind.PRICE: _number,
    LeafKind.QUANTITY: _number,
    LeafKind.NUMBER: _number,
    LeafKind.PERCENT: _number,
    LeafKind.COUNT: _number,
    LeafKind.MOMENT_MS: lambda value: exact_moment(moment_of(value)),
    LeafKind.SECONDS: _seconds,
    LeafKind.FLAG: _flag,
    LeafKind.IDENTIFIER: _identifier,
}
