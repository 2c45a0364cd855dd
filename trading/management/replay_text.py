"""A Replay as lines for people, and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from trading.management.exclusion_text import exclusion_json
from trading.replay.rules.checks.moment import CheckRefusal
from trading.replay.rules.replaying import JudgedDecision
from trading.replay.services import Replay, ReplayVerdict
from trading.schema.exclusion import who_and_why

MANY = {
    ReplayVerdict.AGREES: "agree",
    ReplayVerdict.DIFFERS: "differ",
    ReplayVerdict.INCOMPLETE: "cannot be checked completely",
}
PASSES = "passes every rule"


def replay_lines(replay: Replay) -> Iterator[str]:
    """The full text, for one decision."""
    yield headline(replay)
    if replay.set_aside:
        yield f"  note: the decision was set aside {who_and_why(replay.set_aside)}"
    yield from (f"  note: {note}" for note in replay.notes)
    for one in replay.judged:
        yield f"  {one.name}: {_done(one)}; {_ruled(one.refusals)}"
        if one.other is not None:
            yield f"    under {replay.other_name}: {_ruled(one.other)}"
    if not replay.judged:
        yield "  nothing was decided"
    yield from problem_lines(replay)
    yield from change_lines(replay)


def other_lines(replay: Replay) -> Iterator[str]:
    """The answers under the other settings, for a decision that has no settings of its time."""
    for one in replay.judged:
        if one.other is not None:
            yield f"  {one.name}: under {replay.other_name}: {_ruled(one.other)}"


def headline(replay: Replay) -> str:
    entry = replay.recorded.entry
    version = f"version {entry.config_version}" if entry.config_version is not None else "before v1"
    place = f"{entry.trader_id} #{replay.recorded.cycle_number} {entry.decided_at:%Y-%m-%d %H:%M:%S} UTC"
    aside = ", set aside" if replay.set_aside else ""
    return f"decision {replay.recorded.id}  {place}, {version}{aside}: {replay.verdict}"


def problem_lines(replay: Replay) -> Iterator[str]:
    yield from (f"  difference: {difference.place}: {difference.message}" for difference in replay.differences)
    yield from (f"  unchecked: {unchecked}" for unchecked in replay.unchecked)


def change_lines(replay: Replay) -> Iterator[str]:
    if replay.other is None:
        return
    for one, change in replay.changes:
        if change.before:
            said = f"was refused ({change.before.message}), now passes"
        elif change.after:
            said = f"passed, now refused ({change.after.message})"
        yield f"  change: {one.name}: {change.rule} {said}"
    if not replay.changes and replay.config:
        yield f"  under {replay.other_name} every rule gives the same answer"


def sum_line(verdicts: Counter[ReplayVerdict], changed: int, other_name: str) -> str:
    said = ", ".join(f"{verdicts[verdict]:,} {word}" for verdict, word in MANY.items() if verdicts[verdict])
    line = f"{verdicts.total():,} decisions: {said or 'none in that period'}."
    return f"{line} {changed:,} would be decided differently under {other_name}." if other_name else line


def replay_json(replay: Replay) -> dict[str, Any]:
    entry = replay.recorded.entry
    return {
        "decision": replay.recorded.id,
        "trader_id": entry.trader_id,
        "cycle_number": replay.recorded.cycle_number,
        "decided_at": entry.decided_at.isoformat(),
        "config_version": entry.config_version,
        "verdict": str(replay.verdict),
        "differences": [
            {
                "place": difference.place,
                "recorded": _value(difference.recorded),
                "replayed": _value(difference.replayed),
                "message": difference.message,
            }
            for difference in replay.differences
        ],
        "unchecked": list(replay.unchecked),
        "notes": list(replay.notes),
        "prompts": [
            {"role": prompt.role, "path": prompt.path, "sha256": prompt.sha256, "is_stored": prompt.text is not None}
            for prompt in replay.prompts
        ],
        "decisions": [_judged_json(one) for one in replay.judged],
        "other": replay.other_name or None,
        "set_aside": None if replay.set_aside is None else exclusion_json(replay.set_aside),
    }


def _judged_json(one: JudgedDecision) -> dict[str, Any]:
    taken = one.recorded
    return {
        "decision": one.decision.stored(),
        "recorded": taken and {"ok": taken.ok, "refused_by": list(taken.refused_by or ()), "error": taken.error},
        "refusals": _refusals_json(one.refusals),
        "other_refusals": _refusals_json(one.other),
        "changes": [
            {"rule": change.rule, "before": change.before and change.before.message,
             "after": change.after and change.after.message}
            for change in one.changes
        ],
    }  # fmt: skip


def _refusals_json(refusals: Sequence[CheckRefusal] | None) -> list[dict[str, Any]] | None:
    if refusals is None:
        return None
    return [
        {
            "rule": refusal.rule,
            "message": refusal.message,
            "setting": refusal.setting,
            "limit": refusal.limit,
            "value": refusal.value,
            "missing": refusal.missing,
        }
        for refusal in refusals
    ]


def _done(one: JudgedDecision) -> str:
    if one.recorded is None:
        return "no action was recorded"
    if one.recorded.refused_by:
        return f"was refused by {', '.join(one.recorded.refused_by)}"
    return "was done" if one.recorded.ok else f"failed ({one.recorded.error or 'no reason was recorded'})"


def _ruled(refusals: Sequence[CheckRefusal] | None) -> str:
    if refusals is None:
        return "there are no settings of its time"
    return "refused by " + "; ".join(f"{r.rule} ({r.message})" for r in refusals) if refusals else PASSES


def _value(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
