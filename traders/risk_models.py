"""Which direction of a setting raises risk, as the database knows it. Imported by `traders.models`, which Django reads;
written by `traders.versions.changelog` after every migrate."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class SettingRisk(models.Model):
    """One declaration of a setting whose value has a direction of risk: `Riskier`, `off_at_zero`, and the default as
    JSON text, empty where there is none."""

    path = models.TextField(primary_key=True)
    riskier = models.TextField()
    off_at_zero = models.BooleanField()
    fallback = models.TextField()

    class Meta:
        db_table = "setting_risks"
        verbose_name = _("risk of a setting")
        verbose_name_plural = _("risks of settings")
        default_permissions = ()

    def __str__(self) -> str:
        return self.path
