"""Adds, uses and removes second factors, each with its entry in the audit."""

from __future__ import annotations

import time
from typing import Any

from django.db import transaction

from traders.accounts.audited import actor_of
from traders.accounts.factors.rules import digest_of, new_recovery_codes, step_of
from traders.accounts.factors.sealing import seal, unseal
from traders.audit import writer as audit
from traders.audit.rules import AuditKind
from traders.models import SecondFactor


def add(user: Any, secret: bytes, step: int) -> list[str]:
    """Replaces the factor of the account. Returns the recovery codes, which are stored nowhere."""
    codes = new_recovery_codes()
    digests = [digest_of(code) for code in codes]
    with transaction.atomic():
        SecondFactor.objects.update_or_create(
            user=user, defaults={"secret": seal(secret), "last_step": step, "recovery": digests}
        )
        audit.note(AuditKind.FACTOR_ADDED, actor=actor_of(user))
    return codes


def accept(user: Any, code: str) -> bool:
    """Whether the code is right; it is used up. True for an account without a factor. Raises FactorUnreadable.

    The row is locked, so of two requests with the same code one is refused.
    """
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(user=user).first()
        if factor is None:
            return True
        if (digest := digest_of(code)) in factor.recovery:
            factor.recovery.remove(digest)
            factor.save(update_fields=["recovery"])
            audit.note(AuditKind.RECOVERY_USED, actor=actor_of(user), text=f"{len(factor.recovery)} left")
            return True
        step = step_of(unseal(factor.secret), code, now=time.time(), after=factor.last_step)
        if step is None:
            return False
        factor.last_step = step
        factor.save(update_fields=["last_step"])
    return True


def renew_recovery(user: Any) -> list[str]:
    """Other recovery codes; those before no longer work."""
    codes = new_recovery_codes()
    with transaction.atomic():
        SecondFactor.objects.filter(user=user).update(recovery=[digest_of(code) for code in codes])
        audit.note(AuditKind.RECOVERY_RENEWED, actor=actor_of(user))
    return codes


def remove(user: Any, *, actor: str) -> bool:
    """False if the account has none."""
    with transaction.atomic():
        removed, _by_kind = SecondFactor.objects.filter(user=user).delete()
        if removed:
            audit.note(AuditKind.FACTOR_REMOVED, actor=actor, subject=user.get_username())
    return bool(removed)
