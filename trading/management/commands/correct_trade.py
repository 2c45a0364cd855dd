"""Replaces wrong figures of a trade by right ones."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from trading.management.commands import correct_record
from trading.schema.exclusion import RecordKind


class Command(correct_record.Command):
    help = "Correct a trade by a new row that names it; the wrong one is set aside with the reason."

    def add_arguments(self, parser: CommandParser) -> None:
        correct_record.add_correction(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options, kind=RecordKind.TRADE)
