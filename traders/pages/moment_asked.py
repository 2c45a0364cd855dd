"""The moment that an address asks for."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.core.exceptions import ValidationError

from traders.pages.desk import Desk
from traders.words.moments import read_moment

AT = "at"


def asked_moment(desk: Desk) -> datetime | None:
    """`?at=2026-11-01T12:00`, in UTC; None, after saying why, where it is no moment of the past."""
    try:
        return read_moment(desk.request.GET.get(AT, ""))
    except ValidationError as wrong:
        messages.warning(desk.request, " ".join(wrong.messages))
        return None
