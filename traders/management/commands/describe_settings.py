"""Prints the reference of all settings in Markdown, from their declarations."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from traders.schema.settings.reference import settings_reference


class Command(BaseCommand):
    help = "Print every setting of traders and fleet in Markdown: key, path, range, default, risk, meaning."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(settings_reference(), ending="")
