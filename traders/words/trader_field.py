"""The filter by trader that lists share: parts of an id or of a name, with suggestions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from traders.models import TraderConfig

OFFERED = 500
"""Suggestions of a list; any other trader can be typed."""
SUGGESTIONS = "trader-ids"
"""The id of the `datalist` (`traders/parts/trader_options.html`)."""


class TraderField(forms.CharField):
    """Its value is a tuple of ids: none where nothing was typed, one for a whole id, else all whose id or name contains
    the text, ignoring case. A text that no trader has stays as it is, and finds nothing."""

    def __init__(self, *, words: str | Promise = "", **options: Any) -> None:
        super().__init__(required=False, max_length=200, **options)
        self.words = words

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        words = getattr(self, "words", "") or gettext_lazy("Trader, id or name")
        shown = {"placeholder": words, "aria-label": words, "list": SUGGESTIONS, "autocomplete": "off"}
        return {**super().widget_attrs(widget), **shown}

    def clean(self, value: Any) -> tuple[str, ...]:
        return matching_traders(super().clean(value))


def matching_traders(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    found = set(
        TraderConfig.objects.filter(Q(pk__icontains=text) | Q(display_name__icontains=text)).values_list(
            "pk", flat=True
        )
    )
    return (text,) if text in found or not found else tuple(sorted(found))


def offered_traders() -> list[tuple[str, str]]:
    """(id, name) of each suggestion."""
    return list(TraderConfig.objects.order_by("pk").values_list("pk", "display_name")[:OFFERED])


def only_one(traders: tuple[str, ...]) -> str:
    """The id where a list is narrowed to one trader, else empty."""
    return traders[0] if len(traders) == 1 else ""
