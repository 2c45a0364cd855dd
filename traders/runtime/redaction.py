"""Secrets taken out of reports before they are stored or published. Says how often in the log, and never what."""

from __future__ import annotations

import logging
from typing import TypeVar

from django.utils.crypto import salted_hmac

from traders.schema.redaction import Redaction, redact_part

_MARK_DIGITS = 8

log = logging.getLogger(__name__)

Part = TypeVar("Part")


def mark(secret: str) -> str:
    """8 hex digits that name a secret without telling it. Another SECRET_KEY gives other marks."""
    return salted_hmac("nof0.redaction", secret, algorithm="sha256").hexdigest()[:_MARK_DIGITS]


def without_secrets(part: Part, whose: str, path: str = "detail") -> tuple[Part, tuple[Redaction, ...]]:
    """A report, or a part of one, without the secrets of its free texts. `whose` names it in the log."""
    clean, found = redact_part(part, mark, path)
    for one in found:
        log.warning("%s: %s was taken out of %s.", whose, one.kind, one.path)
    return clean, found
