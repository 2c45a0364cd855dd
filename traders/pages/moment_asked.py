"""Reads the moment in an address."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.core.exceptions import ValidationError

from traders.pages.config_page import ConfigPage
from traders.words.moments import read_moment

AT = "at"


def asked_moment(page: ConfigPage) -> datetime | None:
    """`?at=2026-11-01T12:00` in UTC. None with a warning to the user if it is not a moment of the past."""
    try:
        return read_moment(page.request.GET.get(AT, ""))
    except ValidationError as wrong:
        messages.warning(page.request, " ".join(wrong.messages))
        return None
