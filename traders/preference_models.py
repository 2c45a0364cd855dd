"""The table of preferences. Imported by `traders.models`, which Django reads; written by `accounts.preferences`."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class GainColours(models.TextChoices):
    GREEN_UP = "green_up", _("Green up, red down")
    RED_UP = "red_up", _("Red up, green down")


class AccountPreferences(models.Model):
    """How an account wants its pages. An account without a row, and each empty text, has the default.

    `zone` is a name such as Asia/Shanghai; empty: that of the browser. `language` is a code of the setting LANGUAGES;
    empty: that of the browser.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="preferences"
    )
    zone = models.TextField(default="", db_default="", blank=True)
    colours = models.TextField(
        choices=GainColours.choices, default=GainColours.GREEN_UP, db_default=GainColours.GREEN_UP
    )
    language = models.TextField(default="", db_default="", blank=True)

    class Meta:
        db_table = "account_preferences"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(colours__in=GainColours.values), name="account_preferences_colours_are_known"
            ),
        ]

    def __str__(self) -> str:
        return f"preferences of account {self.user_id}"
