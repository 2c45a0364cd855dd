"""The filters of lists that people keep under a name. `trading.models` imports them, so that Django finds them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from traders.constraints import moment


class SavedFilter(models.Model):
    """A filter of one list with its order, as the query of its address: a link to it needs no row of this table.

    `page` is the model's name in addresses. Only its account sees it, and it goes with the account.
    """

    # The constraint's index begins with the account and serves the foreign key.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters", db_index=False
    )
    page = models.TextField()
    name = models.TextField()
    query = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "saved_filters"
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "page", "name"], name="saved_filters_one_a_name"),
            models.CheckConstraint(condition=~models.Q(name=""), name="saved_filters_name_given"),
            moment("saved_filters", "created_at"),
        ]

    def __str__(self) -> str:
        return self.name
