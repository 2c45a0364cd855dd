"""What a page asks of the preferences of its viewer."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest

from traders.accounts.preferences.rules import COOKIE, known_zone
from traders.models import AccountPreferences, GainColours


def preferences_of(user: Any) -> AccountPreferences:
    """Those of an account that never chose, or of nobody, are the defaults; they are not stored."""
    if user is None or user.pk is None:
        return AccountPreferences()
    try:
        found: AccountPreferences = user.preferences
    except AccountPreferences.DoesNotExist:
        return AccountPreferences(user=user)
    return found


def zone_of(request: HttpRequest) -> ZoneInfo:
    """The zone that the account chose, else that of the browser, else the site's TIME_ZONE."""
    chosen = preferences_of(getattr(request, "user", None)).zone
    return known_zone(chosen) or browser_zone(request) or ZoneInfo(settings.TIME_ZONE)


def language_of(request: HttpRequest) -> str:
    """The code of the language that the account chose; empty where it chose none."""
    chosen = preferences_of(getattr(request, "user", None)).language
    return chosen if is_language(chosen) else ""


def is_language(code: str) -> bool:
    """Whether pages can be had in it. Django's own check takes every language that Django brings words for."""
    return code in dict(settings.LANGUAGES)


def browser_zone(request: HttpRequest) -> ZoneInfo | None:
    return known_zone(request.COOKIES.get(COOKIE, ""))


def is_red_up(request: HttpRequest) -> bool:
    return preferences_of(getattr(request, "user", None)).colours == GainColours.RED_UP
