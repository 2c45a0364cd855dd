"""Applies to the fleet what changed in a manager.yaml."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from traders.management.preferences import parse_preferences
from traders.management.refusal import RefusingCommand, add_actor, given_actor, refusals, refusals_as_json
from traders.management.sync_text import report_json, report_lines
from traders.manager_yaml.file import ManagerFile
from traders.manager_yaml.located import located
from traders.manager_yaml.reader import read_manager_yaml
from traders.schema import jsonio
from traders.schema.problems import InvalidConfig
from traders.sync.drift import unchanged
from traders.sync.rules import SyncReport
from traders.sync.services import sync
from traders.versions.rules.merge import Preferences


class Command(RefusingCommand):
    help = "Apply what changed in a manager.yaml since it was synced last, all of it or nothing, and report it."
    requires_system_checks: list[str] = []
    epilog = (
        "exit codes: 0 done or nothing to do; 1 refused, nothing written; "
        "2 --check found what a sync would write; 3 done, but conflicts stay open"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = self.epilog
        default = _near(Path(settings.MANAGER_YAML))
        parser.add_argument("file", nargs="?", type=Path, default=default, help=f"the manager.yaml (default {default})")
        parser.add_argument("--check", action="store_true", help="say what would be done, and write nothing")
        parser.add_argument("--json", action="store_true", help="report as one line of JSON")
        parser.add_argument(
            "--prefer",
            action="append",
            default=[],
            metavar="yaml|db|[TRADER:]PATH=yaml|db",
            help="who wins where file and database changed differently: for all, or for one path; repeatable",
        )
        parser.add_argument("--retire-missing", action="store_true", help="retire traders that the file no longer has")
        parser.add_argument(
            "--only", action="append", default=[], metavar="ID", help="sync this trader alone; repeatable"
        )
        parser.add_argument("--reason", default="", help="why; every new version carries it")
        add_actor(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals_as_json(self.stdout if options["json"] else None), refusals():
            report = _report(argparse.Namespace(**options))
        if options["json"]:
            self.stdout.write(jsonio.dumps(report_json(report)))
        else:
            self.stdout.write("\n".join(report_lines(report)))
        if report.exit_code:
            sys.exit(report.exit_code)


def _report(options: argparse.Namespace) -> SyncReport:
    actor = given_actor(options.actor)
    if not (options.prefer or options.only or options.retire_missing) and (report := unchanged(options.file)):
        return dataclasses.replace(report, check=options.check)
    file = read_manager_yaml(options.file)
    try:
        prefer = parse_preferences(options.prefer, declared=file.traders)
    except ValueError as error:
        raise CommandError(str(error)) from error
    return _synced(file, prefer, actor, options)


def _synced(file: ManagerFile, prefer: Preferences, actor: str, options: argparse.Namespace) -> SyncReport:
    try:
        return sync(
            file=file,
            actor=actor,
            reason=options.reason,
            prefer=prefer,
            only=options.only,
            retire_missing=options.retire_missing,
            check=options.check,
        )
    except InvalidConfig as error:
        raise located(file, error) from error


def _near(path: Path) -> Path:
    """For messages: relative if it is below the working directory."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
