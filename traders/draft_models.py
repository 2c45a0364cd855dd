"""The table of drafts. Imported by `traders.models`, which Django reads; written by `traders.drafts`."""

from __future__ import annotations

from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.utils.translation import gettext_lazy as _

from traders.constraints import moment


class FormDraft(models.Model):
    """What an account typed into a form and previewed, until it is saved, discarded or too old.

    `page` is the form's address, and `fields` what was posted: `[[name, value], ...]` in order. A saved draft keeps
    no text: `saved_as` is the SHA-256 of what was saved, and `answer` the address that the save led to, so that the
    same request sent again is answered with the version it made.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    page = models.TextField()
    # The version that the form was opened on, where the form has one.
    version = models.IntegerField(null=True)
    fields = models.JSONField(default=list)
    saved_as = models.TextField(default="")
    answer = models.TextField(default="")
    kept_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "form_drafts"
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        default_permissions = ()
        constraints = [moment("form_drafts", "kept_at")]

    def __str__(self) -> str:
        return self.page
