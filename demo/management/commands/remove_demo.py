"""Deletes the demo: its site, servers, database, live store and files."""

from __future__ import annotations

import shutil
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from nof0site.embedded.configured import configured_servers
from nof0site.embedded.paths import DataPaths
from nof0site.serving.runfile import stop_all

PATIENCE_SECONDS = 30


class Command(BaseCommand):
    help = "Stop the demo if it is running, and delete its whole data directory. Nothing else is touched."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This deletes the data of the demo only: set NOF0_DEMO=1, as `make demo-clean` does.")
        paths = DataPaths(settings.DATA_DIR)
        if not paths.cluster.is_dir():
            self.stdout.write(f"There is no demo in {paths.root}.")
            return
        _stopped, left = stop_all(paths.root, PATIENCE_SECONDS)
        if left:
            numbers = ", ".join(map(str, left))
            raise CommandError(f"Still running after {PATIENCE_SECONDS} s: process {numbers}. Stop it with kill -9.")
        if not configured_servers().leave():
            raise CommandError("Another command still uses the demo's servers. Nothing was deleted: end it first.")
        shutil.rmtree(paths.root)
        self.stdout.write(f"Deleted the demo in {paths.root}.")
