"""Adds entries to the audit of access, and removes those whose time is over."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from traders.audit.origin import current_address
from traders.audit.rules import AuditKind
from traders.models import AuditEntry
from traders.schema.actors import account_id_of

log = logging.getLogger(__name__)

REMOVED_AT_ONCE = 1_000


def note(kind: AuditKind, *, actor: str, subject: str = "", text: str = "") -> None:
    """Adds an entry, in the transaction of what it says: both are stored, or none.

    `actor` is who did it, `subject` whom or what it concerns, if another. The address is that of the request. An error
    of the database is raised: what cannot be written down is not done.
    """
    AuditEntry.objects.create(
        kind=kind,
        actor=actor,
        account_id=account_id_of(actor),
        address=current_address(),
        subject=subject,
        text=text,
        keep_until=timezone.now() + timedelta(days=settings.AUDIT_KEEP_DAYS),
    )


def remove_old(at_most: int = REMOVED_AT_ONCE) -> int:
    """Removes entries whose time is over, of the oldest `at_most` ones; returns how many. Called at each login.

    The database refuses to delete younger ones. A failure is logged and hinders no login: the next one tries again.
    """
    oldest = AuditEntry.objects.order_by("pk").values("pk")[:at_most]
    try:
        with transaction.atomic():
            removed, _by_kind = AuditEntry.objects.filter(pk__in=oldest, keep_until__lt=timezone.now()).delete()
    except DatabaseError as error:
        log.warning("Old entries of the audit are not removed: %s", error)
        return 0
    return removed
