"""The table of the audit of access. Imported by `traders.models`, which Django reads; written by `traders.audit`."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from traders.constraints import moment

SHORTEST_KEPT = timedelta(days=29)
"""The setting's least value is 30 days; a day for clocks that differ."""


class AuditEntry(models.Model):
    """Who logged in, failed, or changed who may do what. The database refuses UPDATE and TRUNCATE of every row, and
    DELETE before `keep_until`.

    `actor` did it, `subject` is whom or what it concerns, if another. `address` is NULL for a command.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    kind = models.TextField()
    actor = models.TextField()
    account_id = models.BigIntegerField(null=True, blank=True)
    address = models.TextField(null=True, blank=True)
    subject = models.TextField(default="", db_default="", blank=True)
    text = models.TextField(default="", db_default="", blank=True)
    keep_until = models.DateTimeField()

    class Meta:
        db_table = "audit_entries"
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit of access")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=~models.Q(kind="") & ~models.Q(actor=""), name="audit_entries_says_who"),
            models.CheckConstraint(
                condition=models.Q(keep_until__gte=models.F("at") + SHORTEST_KEPT), name="audit_entries_kept_a_month"
            ),
            moment("audit_entries", "at"),
            moment("audit_entries", "keep_until"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.at:%Y-%m-%d %H:%M}"
