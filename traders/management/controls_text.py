"""Controls as commands take and print them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from traders.controls.rules import WantedState
from traders.controls.services import Written
from traders.schema.durations import parse_duration


def add_ways(parser: CommandParser) -> None:
    """The options of every verb."""
    parser.add_argument("--reason", required=True, help="why, in a few words; it is kept for good")
    parser.add_argument("--actor", default="", help="who; by default cli: and the account's name")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def end(text: str) -> datetime:
    """`30m` from now, or a moment such as 2026-11-01T12:00Z (without a zone: UTC). Raises ArgumentTypeError."""
    try:
        return timezone.now() + timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError):
        pass
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise ArgumentTypeError(f"{text!r} is no end; write it like 30m, 2h or 2026-11-01T12:00Z")
    return moment.replace(tzinfo=UTC) if timezone.is_naive(moment) else moment


def lines(written: Sequence[Written], states: dict[str, WantedState]) -> list[str]:
    """What was written, then what is wanted of each trader."""
    said = []
    for one in written:
        row = one.control
        parts = [
            f"{row.trader_id or 'fleet'}: {row.kind.value}",
            *(str(value) for value in (row.symbol, row.cause, f"v{row.version}" if row.version else None) if value),
            *([f"until {row.until:%Y-%m-%d %H:%M:%S} UTC"] if row.until else []),
        ]
        said.append(f"{' '.join(parts)} (control {row.id}{'' if one.is_new else ', asked for before'})")
    for trader_id, state in states.items():
        why = "; ".join(str(cause.text) for cause in state.causes)
        said.append(f"{trader_id} is wanted {state.effect.value.replace('_', ' ')}{f': {why}' if why else ''}")
    return said


def as_json(written: Sequence[Written], states: dict[str, WantedState]) -> dict[str, Any]:
    return {
        "controls": [
            {
                "control_id": one.control.id,
                "trader_id": one.control.trader_id,
                "control": one.control.kind.value,
                "is_new": one.is_new,
                "at": one.control.at.isoformat(),
            }
            for one in written
        ],
        "wanted": {
            trader_id: {
                "state": state.effect.value,
                "causes": [str(cause.text) for cause in state.causes],
                "version": state.pinned_version,
            }
            for trader_id, state in states.items()
        },
    }
