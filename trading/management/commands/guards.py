"""Say where the guards of a trader, or of the fleet, stand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from traders.management.refusal import RefusingCommand, refusals
from traders.schema.controls.rows import GUARD_PREFIX
from trading.guards import fleet
from trading.guards.rules.standing import GuardStanding
from trading.guards.services import TraderGuards, guards_of
from trading.schema.facts import EquityPoint


class Command(RefusingCommand):
    help = "Print what each guard has used of its limit, and what would lift its pause. Without a trader: the fleet's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("trader", nargs="?", help="id of a trader; without it the limits of the whole fleet")
        parser.add_argument("--json", action="store_true", help="print JSON for programs")

    def handle(self, *args: Any, trader: str | None, **options: Any) -> None:
        with refusals():
            found = guards_of(trader) if trader else TraderGuards(fleet.standings().all)
        if options["json"]:
            self.stdout.write(json.dumps(_whole(found), indent=2))
            return
        for one in found.standings:
            self.stdout.write(_line(one))
        for point in found.suspect:
            self.stdout.write(f"suspect equity, counts nowhere: {point.equity:,.2f} USD at {_moment(point)}")
        for pause in found.pauses:
            self.stdout.write(
                f"{pause.cause} holds entries since {pause.at.isoformat(timespec='seconds')}: {pause.reason}"
            )
        for pause in found.lifted:
            guard = (pause.cause or "").removeprefix(GUARD_PREFIX)
            self.stdout.write(
                f"{guard}: nothing is in breach any more; to resume: "
                f'python manage.py trader resume {trader} --guard {guard} --reason "..."'
            )


def _whole(found: TraderGuards) -> dict[str, Any]:
    lifted = {pause.id for pause in found.lifted}
    return {
        "guards": [_json(one) for one in found.standings],
        "suspect": [{"ts_ms": point.ts_ms, "equity_usd": str(point.equity)} for point in found.suspect],
        "pauses": [
            {
                "cause": pause.cause,
                "at": pause.at.isoformat(),
                "until": pause.until.isoformat() if pause.until else None,
                "reason": pause.reason,
                "still_breached": pause.id not in lifted,
            }
            for pause in found.pauses
        ],
    }


def _moment(point: EquityPoint) -> str:
    return datetime.fromtimestamp(point.ts_ms / 1000, UTC).isoformat(timespec="seconds")


def _json(one: GuardStanding) -> dict[str, Any]:
    return {
        "guard": one.name.value,
        "setting": one.guard.path,
        "limit": str(one.limit) if one.is_on else None,
        "used": None if one.used is None else str(one.used),
        "unit": one.guard.unit,
        "share": one.share,
        "breached": one.is_breached,
        "note": None if one.note is None else str(one.note),
        "lifted_by": one.guard.lifted_by.value,
    }


def _line(one: GuardStanding) -> str:
    label = f"{one.guard.label} {one.note or ''}".strip()
    state = f"; BREACHED, {one.lifts}" if one.is_breached else ""
    return f"{label:40} {one.figures}{state}"
