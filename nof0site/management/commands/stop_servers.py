"""Stop what `make run` started in another terminal."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from nof0site.embedded.configured import configured_servers
from nof0site.serving.runfile import stop_all

PATIENCE_SECONDS = 30


class Command(BaseCommand):
    help = "Stop the site if it is running here, then the embedded servers if no process uses them."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        stopped, left = stop_all(settings.DATA_DIR, PATIENCE_SECONDS)
        for pid in stopped:
            self.stdout.write(f"Stopped the site (process {pid}).")
        if left:
            numbers = ", ".join(map(str, left))
            raise CommandError(f"Still running after {PATIENCE_SECONDS} s: process {numbers}. Stop it with kill -9.")
        if not stopped:
            self.stdout.write("The site is not running here.")
        if not configured_servers().leave():
            self.stdout.write("Another command still uses the embedded servers; it stops them when it ends.")
