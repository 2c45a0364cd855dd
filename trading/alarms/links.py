"""Links in messages: to an alarm's page, and the signed one that acknowledges without a login."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.urls import NoReverseMatch, reverse

VALID_SECONDS = 86_400
"""Of a signed link."""
_SALT = "nof0.alarms.acknowledge"


class BadLink(Exception):
    """It was changed, or is older than VALID_SECONDS."""


def page_url(alarm_id: int) -> str:
    """Empty without SITE_URL, or where the site serves no pages."""
    return _absolute("admin:trading_alarm_change", str(alarm_id))


def acknowledge_url(alarm_id: int) -> str:
    return _absolute("acknowledge_alarm", signed(alarm_id))


def signed(alarm_id: int) -> str:
    return signing.dumps(alarm_id, salt=_SALT)


def alarm_of(token: str) -> int:
    """Raises BadLink."""
    try:
        found = signing.loads(token, salt=_SALT, max_age=VALID_SECONDS)
    except signing.BadSignature as error:
        raise BadLink from error
    if type(found) is not int:
        raise BadLink
    return found


def _absolute(name: str, argument: str) -> str:
    if not settings.SITE_URL:
        return ""
    try:
        return str(settings.SITE_URL) + reverse(name, args=[argument])
    except NoReverseMatch:
        return ""
