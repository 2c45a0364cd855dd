"""Figures of the trading record as every page shows them: gains, prices, quantities, moments, versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, TypeGuard

from django import template
from django.conf import settings
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from traders.templatetags.display import ago
from traders.words import settings as words
from traders.words.messages import translated
from traders.words.moments import SLACK_SECONDS, ago_words
from traders.words.zones import exact
from trading.schema.exclusion import Exclusion, who_and_why

register = template.Library()
MOST_ADDRESSES = 4_000

NONE = "–"
Figure = Decimal | int | None
"""JSON has whole numbers as int."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CENT = Decimal("0.01")
_PRICE_DIGITS = 6


@register.filter
def gain(figure: Figure) -> SafeString | str:
    """A gain or a loss: coloured, signed, with an arrow, and in a word for who sees neither."""
    if not _is_figure(figure):
        return NONE
    amount = Decimal(figure)
    return signed(amount, f"{_rounded(abs(amount)):,}")


def signed(amount: Decimal, size: str) -> SafeString | str:
    """`size` is how the amount is written without its sign."""
    if amount == 0:
        return size
    kind, arrow, sign, word = ("gain", "▲", "+", _("gain")) if amount > 0 else ("loss", "▼", "−", _("loss"))
    return format_html(
        '<span class="{}"><span aria-hidden="true">{}</span> {}{}<span class="hidden-text"> {}</span></span>',
        *(kind, arrow, sign, size, word),
    )


@register.filter
def money(figure: Figure) -> str:
    return f"{_rounded(Decimal(figure)):,}".replace("-", "−") if _is_figure(figure) else NONE


@register.filter
def price(figure: Figure) -> SafeString | str:
    """At most six digits that count, all of them on hover."""
    if not _is_figure(figure):
        return NONE
    amount = Decimal(figure)
    decimals = max(0, _PRICE_DIGITS - 1 - amount.adjusted())
    shown = amount if -_exponent(amount) <= decimals else amount.quantize(Decimal(1).scaleb(-decimals))
    return _with_all(shown, amount)


@register.filter
def quantity(figure: Figure) -> SafeString | str:
    return price(figure)


@register.filter
def percent(amount: Decimal | None) -> str:
    return f"{amount:.1f}" if _is_figure(amount) else NONE


@register.filter
def leverage(figure: Figure) -> str:
    return NONE if figure is None else f"{words.number(figure)}x"


@register.filter
def count(number: int | None) -> str:
    return NONE if number is None else f"{number:,}"


@register.filter
def ms_ago(moment_ms: int | None) -> SafeString | str:
    """Milliseconds since 1970 as `4 min ago`, with the exact time on hover."""
    return NONE if moment_ms is None else ago(moment_of(moment_ms))


@register.filter
def exact_moment(moment: datetime) -> SafeString:
    """To the millisecond, with how long since where that says more than the date."""
    said = ago_words(moment, timezone.now())
    ms = f".{moment.microsecond // 1000:03d}" if moment.microsecond else ""
    date, time, zone = exact(moment).split(" ")
    return format_html(
        '<time datetime="{}">{} {}{} {}</time>{}',
        *(moment.isoformat(), date, time, ms, zone),
        format_html(' <span class="faint">{}</span>', said) if said != date else "",
    )


@register.filter
def side(name: str) -> SafeString:
    is_long = name == "long"
    return format_html(
        '<span class="side side-{}"><span aria-hidden="true">{}</span> {}</span>',
        *(name, "↗" if is_long else "↘", _("long") if is_long else _("short")),
    )


@register.filter
def position_state(status: str) -> SafeString:
    is_open = status == "open"
    return _state("running" if is_open else "closed", "radio_button_checked" if is_open else "check", _status(is_open))


@register.simple_tag
def decision_state(success: bool, is_refused: bool) -> SafeString:
    if success:
        return _state("running", "check_circle", pgettext("decision", "done"))
    return _state("paused", "block", _("refused")) if is_refused else _state("stopped", "error", _("failed"))


@register.simple_tag
def aside_tag(entries: Mapping[int, Exclusion], exclusion_id: int | None) -> SafeString | str:
    """Marks a row that was set aside, with who, when and why on hover; nothing for one that counts."""
    entry = entries.get(exclusion_id) if exclusion_id is not None else None
    if entry is None:
        return ""
    return format_html('<span class="tag small" title="{}">{}</span>', translated(who_and_why(entry)), _("set aside"))


def trader_link(trader_id: str) -> SafeString:
    url = _address("admin:traders_traderconfig_overview", trader_id)
    return format_html('<a href="{}">{}</a>', url, trader_id)


@register.simple_tag
def row_cells(write: Callable[[Any], SafeString], row: Any) -> SafeString:
    """The cells of a row of the list."""
    return write(row)


@register.filter
def action_word(action: str) -> str:
    return {
        "open_long": _("open long"),
        "open_short": _("open short"),
        "close_long": _("close long"),
        "close_short": _("close short"),
        "hold": _("hold"),
        "wait": _("wait"),
    }.get(action, action)


@register.filter
def value_word(value: str) -> str:
    """One of the words that the record's fields are held to, or what a program wrote in its place."""
    return {
        "entry": _("entry"),
        "exit": _("exit"),
        "open": pgettext("event", "open"),
        "increase": pgettext("event", "increase"),
        "reduce": pgettext("event", "reduce"),
        "plan": pgettext("event", "plan"),
        "close": pgettext("event", "close"),
        "isolated": pgettext("margin", "isolated"),
        "cross": pgettext("margin", "cross"),
        "long": _("long"),
        "short": _("short"),
        "unknown": _("unknown"),
    }.get(value) or action_word(value)


@register.filter
def role_word(role: str) -> str:
    """Of a message to a model, or of a prompt."""
    return {
        "system": pgettext("role", "system"),
        "user": pgettext("role", "user"),
        "assistant": pgettext("role", "assistant"),
        "tool": pgettext("role", "tool"),
        "executor": pgettext("role", "executor"),
    }.get(role, role)


@register.filter
def percent_gain(amount: Decimal | None) -> SafeString | str:
    return NONE if amount is None else format_html('<span class="whole-figure">{} %</span>', gain(amount))


@register.filter
def span(milliseconds: int | None) -> str:
    """How long, by its two largest units."""
    if milliseconds is None:
        return NONE
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    return words.rough_duration(milliseconds // 1000)


@register.filter
def seconds(number: float | None) -> str:
    """How long, by its two largest units; one decimal below ten seconds."""
    if number is None:
        return NONE
    if number < -SLACK_SECONDS:
        return _("ahead of this server's clock")
    number = max(0.0, number)
    return f"{number:.1f} s" if number < 10 else words.rough_duration(round(number))


@register.simple_tag
def trades_words(number: int, enough: int) -> SafeString:
    """How many trades a figure rests on; fewer than enough are marked."""
    said = ngettext("%(n)s trade", "%(n)s trades", number) % {"n": count(number)}
    if 0 < number < enough:
        return format_html('<span class="tag small" title="{}">{}</span>', _("small sample"), said)
    return format_html('<span class="faint">{}</span>', said)


@register.simple_tag
def version_mark(trader_id: str, number: int | None) -> SafeString:
    """A link to the version; None is before the first one."""
    if number is None or number == 0:
        return format_html('<span class="faint">{}</span>', _("before v1"))
    return format_html('<a href="{}">v{}</a>', version_url(trader_id, number), number)


def version_url(trader_id: str, number: int) -> str:
    return _address("admin:traders_traderconfig_version", trader_id, number)


def _address(name: str, *arguments: str | int) -> str:
    """A list names the same few traders and versions in every row, and finding an address takes as long as a cell."""
    return _known_address(name, arguments, get_script_prefix(), settings.ROOT_URLCONF)


@lru_cache(maxsize=MOST_ADDRESSES)
def _known_address(name: str, arguments: tuple[str | int, ...], prefix: str, urls: str) -> str:
    return reverse(name, args=arguments)


def moment_of(moment_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=moment_ms)


def _state(name: str, icon: str, word: str) -> SafeString:
    return format_html(
        '<span class="state state-{}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</span>',
        *(name, icon, word),
    )


def _status(is_open: bool) -> str:
    return pgettext("position", "open") if is_open else pgettext("position", "closed")


def _with_all(shown: Decimal, amount: Decimal) -> SafeString | str:
    if shown == amount:
        return words.number(amount)
    return format_html('<span title="{}">{}</span>', words.number(amount), words.number(shown))


def _is_figure(figure: Figure) -> TypeGuard[Decimal | int]:
    """A column of PostgreSQL may hold NaN and Infinity, which are shown as not known."""
    return figure is not None and Decimal(figure).is_finite()


def _rounded(amount: Decimal) -> Decimal:
    """A sum that a spoilt row took beyond the digits that Decimal rounds is shown as it is."""
    try:
        return amount.quantize(_CENT, rounding=ROUND_HALF_EVEN)
    except InvalidOperation:
        return amount


def _exponent(amount: Decimal) -> int:
    exponent: Any = amount.as_tuple().exponent
    return int(exponent)
