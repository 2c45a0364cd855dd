"""Copies the declared directions of risk to the database, which counts by them what each change set raised."""

from __future__ import annotations

from typing import Any

from django.apps import apps as installed
from django.db.models import QuerySet

from traders.schema import jsonio
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS


def after_migrate(using: str, apps: Any = installed, **signal: Any) -> None:
    """Nothing where the table is not there: an earlier release was migrated back to."""
    try:
        model = apps.get_model("traders", "SettingRisk")
    except LookupError:
        return
    write_setting_risks(model.objects.using(using))


def write_setting_risks(stored: QuerySet[Any]) -> None:
    """Makes the rows of `setting_risks` equal to the declarations."""
    declared = [
        stored.model(
            path=setting.path,
            riskier=setting.riskier.value,
            off_at_zero=setting.off_at_zero,
            fallback="" if setting.required else jsonio.dumps(setting.default),
        )
        for setting in (*TRADER_SETTINGS.values(), *FLEET_SETTINGS.values())
        if setting.riskier is not None
    ]
    stored.exclude(pk__in=[row.path for row in declared]).delete()
    stored.bulk_create(
        declared,
        update_conflicts=True,
        unique_fields=["path"],
        update_fields=["riskier", "off_at_zero", "fallback"],
    )
