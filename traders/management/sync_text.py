"""A SyncReport as lines for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traders.controls import queries as controls
from traders.pages import seams
from traders.pages.saved import waits_for_unpin
from traders.pages.seams import PositionsBeyond
from traders.schema import jsonio
from traders.schema.paths import ABSENT, Change
from traders.schema.settings.fleet import FLEET_ID
from traders.sync.rules import SyncAction, SyncOutcome, SyncReport
from traders.versions.rules.merge import Divergence

LISTED = 20  # shown of the outcomes whose line holds the id only
LONGEST_VALUE = 100

_SETTLE = (
    "Conflicts stay open until a side is chosen: --prefer yaml or --prefer db for all, "
    "--prefer PATH=yaml or --prefer TRADER:PATH=db for one path, or in the browser."
)


def report_lines(report: SyncReport) -> Iterator[str]:
    """Warnings, outcomes by configuration, missing traders, and the counts."""
    yield from (f"warning: {warning}" for warning in report.warnings)
    for action in (SyncAction.INSERTED, SyncAction.ADOPTED):
        yield from _short_lines(action, [outcome for outcome in report.outcomes if outcome.action is action])
    for outcome in report.outcomes:
        if outcome.action in (SyncAction.UPDATED, SyncAction.RETIRED, SyncAction.CONFLICT):
            yield from _whole_lines(outcome)
    pins = _pins(report)
    yield from (f"pinned     {name} to version {number}: will not run" for name, number in list(pins.items())[:LISTED])
    if len(pins) > LISTED:
        yield f"pinned     and {len(pins) - LISTED:,} more (--json lists all)"
    yield from _beyond_lines(report)
    yield from _missing_lines(report)
    yield _sum(report)
    if report.open_conflicts:
        yield _SETTLE


def _short_lines(action: SyncAction, outcomes: list[SyncOutcome]) -> Iterator[str]:
    for outcome in outcomes[:LISTED]:
        version = f" version {outcome.version}" if outcome.makes_version else " as it is stored"
        yield f"{action:<10} {_name(outcome.config_id)}{version}"
    if len(outcomes) > LISTED:
        yield f"{action:<10} and {len(outcomes) - LISTED:,} more (--json lists all)"


def _whole_lines(outcome: SyncOutcome) -> Iterator[str]:
    if outcome.makes_version:
        verb = SyncAction.RETIRED if outcome.action is SyncAction.RETIRED else SyncAction.UPDATED
        yield f"{verb:<10} {_name(outcome.config_id)} version {outcome.version - 1} -> {outcome.version}"
        yield from (
            f"             {change.path}: {_value(change.old)} -> {_value(change.new)}" for change in outcome.changes
        )
    for conflict in outcome.conflicts:
        yield f"conflict   {_name(outcome.config_id)} {conflict.path}"
        was = f" (was {_value(conflict.base)})" if conflict.base is not ABSENT else ""
        yield f"             file: {_value(conflict.file)}, database: {_value(conflict.stored)}{was}"


def _pins(report: SyncReport) -> dict[str, int]:
    """{trader_id: the version it is pinned to}, of those whose new version does not run therefore."""
    moved = [one.config_id for one in report.versions if waits_for_unpin(one.changes)]
    return dict(sorted(controls.pinned_versions(moved).items())) if moved else {}


def _beyond(report: SyncReport) -> list[PositionsBeyond]:
    """What the new versions mean for open positions, where they move limits of traders that hold some."""
    changes = {one.config_id: one.changes for one in report.versions}
    return [found for find in seams.found_beyond if (found := find(changes))]


def _beyond_lines(report: SyncReport) -> Iterator[str]:
    for found in _beyond(report):
        if found.problem:
            yield f"positions  could not be compared with the new limits: {found.problem}"
            continue
        for one in found.traders[:LISTED]:
            how = "is beyond its new limits; nothing is closed, entries wait" if one.is_beyond else "cannot be checked"
            pinned = f" (pinned to version {one.pinned}: they do not reach it yet)" if one.pinned else ""
            yield f"positions  {one.trader_id} {how}{pinned}"
            yield from (f"             {line}" for line in one.lines)
        if len(found.traders) > LISTED:
            yield f"positions  and {len(found.traders) - LISTED:,} more (--json lists all)"


def _missing_lines(report: SyncReport) -> Iterator[str]:
    """Names the active ones; retired traders need not be in the file."""
    told = {outcome.config_id for outcome in report.outcomes}
    absent = [missing for missing in report.missing if missing.trader_id not in told]
    listed = [missing for missing in absent if not missing.retired]
    for missing in listed[:LISTED]:
        share = f"{missing.allocation_pct:f} %; --retire-missing retires it"
        yield f"missing    {missing.trader_id} is not in the file ({share})"
    if len(listed) > LISTED:
        yield f"missing    and {len(listed) - LISTED:,} more (--json lists all)"
    if retired := len(absent) - len(listed):
        yield f"missing    {retired:,} retired {'trader' if retired == 1 else 'traders'} (--json lists all)"


def _sum(report: SyncReport) -> str:
    counts = ", ".join(_counted(count, what) for what, count in report.summary().items() if count) or "nothing declared"
    if not report.check:
        return f"{report.path}: {counts}."
    verdict = "A sync would write these." if report.versions else "A sync would make no version."
    return f"{report.path}: {counts}. Nothing was written. {verdict}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what.removesuffix('s') if count == 1 else what}"


def _name(config_id: str) -> str:
    return "the fleet's settings" if config_id == FLEET_ID else config_id


def _value(value: Any) -> str:
    if value is ABSENT:
        return "(absent)"
    text = jsonio.dumps(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."


def report_json(report: SyncReport) -> dict[str, Any]:
    """The whole report. A side of a change without the path is left out; numbers keep their digits."""
    return {
        "path": report.path,
        "file_sha256": report.file_sha256,
        "check": report.check,
        "exit_code": int(report.exit_code),
        "change_set": report.change_set,
        "summary": report.summary(),
        "outcomes": [
            {
                "config_id": outcome.config_id,
                "action": outcome.action.value,
                "version": outcome.version,
                "changes": [_change(change) for change in outcome.changes],
                "conflicts": [_conflict(conflict) for conflict in outcome.conflicts],
            }
            for outcome in report.outcomes
        ],
        "missing": [
            {"trader_id": m.trader_id, "allocation_pct": m.allocation_pct, "retired": m.retired} for m in report.missing
        ],
        "pinned": _pins(report),
        "positions": [
            {"trader_id": one.trader_id, "beyond": one.is_beyond, "lines": one.lines}
            for found in _beyond(report)
            for one in found.traders
        ],
        "warnings": list(report.warnings),
    }


def _change(change: Change) -> dict[str, Any]:
    return _present(path=change.path, old=change.old, new=change.new)


def _conflict(conflict: Divergence) -> dict[str, Any]:
    return _present(path=conflict.path, base=conflict.base, file=conflict.file, stored=conflict.stored)


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not ABSENT}
