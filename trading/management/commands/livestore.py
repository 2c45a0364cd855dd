"""Inspects, rebuilds, verifies and switches the live store in Redis."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from traders.audit import writer as audit
from traders.audit.rules import AuditKind
from traders.management.refusal import RefusingCommand, refusals
from traders.schema.actors import os_actor
from trading.live import services as live
from trading.live.migration.modes import LayoutMode
from trading.live.reference import in_document
from trading.live.switch import mirror as live_mirror
from trading.live.switch import services as live_switch
from trading.live.upkeep import status as live_status
from trading.live.upkeep import sweeping as live_sweep
from trading.live.upkeep import verify as live_verify
from trading.management.live_text import status_lines, verdict_line

PAGE = "docs/redis.md"
# What changes the live store, and so is noted in the audit before it is done.
STEPS = ("rebuild", "mode", "cutover", "rollback", "cleanup")


class Command(RefusingCommand):
    help = "Look at the live store, fill it again, prove it equal to PostgreSQL, and switch over from the old layout."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        status = verbs.add_parser("status", help="keys with type, fields, bytes, encoding and age; the mode")
        status.add_argument("--json", action="store_true", help="as one JSON object")
        verbs.add_parser("rebuild", help="everything that PostgreSQL determines; readers never see it half full")
        verify = verbs.add_parser("verify", help="compare every field; exit 1 on any difference")
        verify.add_argument(
            "--against", choices=["all", "postgresql", "old"], default="all", help="old: the old layout; default all"
        )
        show = verbs.add_parser("show", help="a value decoded")
        show.add_argument("key")
        show.add_argument("field", nargs="?")
        mode = verbs.add_parser("mode", help="the mode; or step by step to another one")
        mode.add_argument("to", nargs="?", choices=list(LayoutMode))
        mode.add_argument("--read", choices=["hash", "old"], help="dual: what is read")
        mode.add_argument("--percent", type=_percent, help="dual, --read hash: of which share of traders; default 100")
        mode.add_argument("--from-old", action="store_true", help="fill the new layout from the old, not PostgreSQL")
        cutover = verbs.add_parser("cutover", help="dual -> hash, after a verify that passed")
        for switching in (mode, cutover):
            switching.add_argument(
                "--within",
                type=float,
                metavar="MINUTES",
                default=live_switch.VERIFIED_WITHIN_MINUTES,
                help="how old the verify may be; default %(default)s",
            )
        verbs.add_parser("rollback", help="back to the step before")
        for name, says in (("cleanup", "remove the old layout's keys"), ("sweep", "remove what is long dead")):
            verbs.add_parser(name, help=says).add_argument(
                "--dry-run", action="store_true", help="count, and remove nothing"
            )
        mirror = verbs.add_parser("mirror", help="follow the old layout into the new one, until interrupted")
        mirror.add_argument("--seconds", type=float, default=0.5, help="between two reads; default %(default)s")
        mirror.add_argument("--once", action="store_true", help="copy what there is, and end")
        verbs.add_parser("reference", help=f"write the tables of {PAGE}")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals():
            if options["verb"] in STEPS and (options["verb"] != "mode" or options["to"] or options["read"]):
                asked = " ".join(filter(None, (options["verb"], options.get("to"), options.get("read"))))
                audit.note(AuditKind.LIVE_STORE, actor=os_actor(), text=asked)
            getattr(self, f"_{options['verb']}")(**options)

    def _status(self, **options: Any) -> None:
        found = live_status.status()
        self._say(*([json.dumps(found.json())] if options["json"] else status_lines(found)))

    def _rebuild(self, **options: Any) -> None:
        traders = live.rebuild_all()
        if traders is None:
            raise CommandError("Redis does not answer or refuses; nothing was replaced.")
        self._say(f"{traders:,} traders filled from PostgreSQL.")

    def _verify(self, **options: Any) -> None:
        against = options["against"]
        verdict = live_verify.verify(postgres=against != "old", old=against != "postgresql")
        self._say(*map(str, verdict.differences), verdict_line(verdict))
        if not verdict.passed:
            sys.exit(1)

    def _show(self, **options: Any) -> None:
        found = live_status.show(options["key"], options["field"])
        self._say(*(text if options["field"] else f"{field} {text}" for field, text in found.items()))

    def _mode(self, **options: Any) -> None:
        if options["to"] is None and options["read"] is None:
            self._say(str(live_switch.current()))
            return
        if options["read"] and options["to"] not in (None, LayoutMode.DUAL):
            raise CommandError("--read belongs to the mode dual")
        percent = None if options["read"] is None else 0 if options["read"] == "old" else options["percent"]
        self._switched(
            live_switch.to_mode(
                LayoutMode(options["to"] or LayoutMode.DUAL),
                read_new_pct=100 if options["read"] == "hash" and percent is None else percent,
                from_old=options["from_old"],
                within_minutes=options["within"],
            )
        )

    def _cutover(self, **options: Any) -> None:
        self._switched(live_switch.cutover(within_minutes=options["within"]))

    def _rollback(self, **options: Any) -> None:
        self._switched(live_switch.rollback())

    def _switched(self, step: live_switch.SwitchStep) -> None:
        self._say(f"mode: {step.state}; every process follows" + (f"; {step.filled:,} filled" if step.filled else ""))

    def _cleanup(self, **options: Any) -> None:
        removed = live_switch.clean_up(dry_run=options["dry_run"])
        verb = "would be removed" if options["dry_run"] else "removed"
        self._say(f"{removed.total:,} old keys {verb}, {removed.conversations:,} of them conversations.")

    def _sweep(self, **options: Any) -> None:
        count = live_sweep.sweep(dry_run=options["dry_run"])
        self._say(f"{count:,} dead fields {'would be removed' if options['dry_run'] else 'removed'}.")

    def _mirror(self, **options: Any) -> None:
        for look in live_mirror.rounds():
            self._say(look.words)
            if options["once"]:
                return
            time.sleep(options["seconds"])

    def _reference(self, **options: Any) -> None:
        page = settings.BASE_DIR / PAGE
        page.write_text(in_document(page.read_text(encoding="utf-8")), encoding="utf-8")
        self._say(f"{PAGE} written.")

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.stdout.write(line)


def _percent(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 100:
        raise ValueError
    return number
