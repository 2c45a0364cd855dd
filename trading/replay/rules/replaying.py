"""The replay of a recorded decision under the settings of its time, and under others. Pure: reads nothing from outside.

The answer is parsed again where it was kept, and every risk check is asked again about what was seen at that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from traders.schema.redaction import was_redacted
from traders.schema.settings.trader import TraderDetail
from trading.record.rules.errors import InvalidRecord
from trading.replay.rules.checks.moment import CheckRefusal, Moment
from trading.replay.rules.parsing import parse_answer
from trading.replay.rules.risk_checks import judge
from trading.schema.decision import ActionTaken, Decision, DecisionDetail, JournalEntry
from trading.schema.spelling import Spellings, names_in

TEXT_REDACTED = "text redacted: secrets were taken out of the answer before it was stored, so it cannot be compared"


@dataclass(frozen=True, slots=True)
class ReplayDifference:
    """`place` is the path in the entry's detail; `message` says it in words."""

    place: str
    recorded: Any
    replayed: Any
    message: str


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What a rule says of a decision under the settings of its time and under others. None: it lets it through."""

    rule: str
    before: CheckRefusal | None
    after: CheckRefusal | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision with what was done about it, and what the rules say under the settings of its time and under `other`
    ones. None for the recorded action: none was recorded; None for refusals: there are no such settings."""

    decision: Decision
    recorded: ActionTaken | None
    refusals: tuple[CheckRefusal, ...] | None
    other: tuple[CheckRefusal, ...] | None = None

    @property
    def name(self) -> str:
        return f"{self.decision.action} {self.decision.symbol}"

    @property
    def acts(self) -> bool:
        return self.decision.action.opens or self.decision.action.closes

    @property
    def is_known(self) -> bool:
        """Whether rules refused, or let through, on data alone: not only for the want of some."""
        return not self.refusals or any(not refusal.missing for refusal in self.refusals)

    @property
    def _recorded_refusals(self) -> list[CheckRefusal]:
        rules = self.recorded.refused_by if self.recorded else None
        return [CheckRefusal(rule, "as it was recorded") for rule in rules or ()]

    @property
    def changes(self) -> list[RuleChange]:
        """Rules that say one thing under the settings of its time and the opposite under the others. What was recorded
        stands for settings that did not exist yet."""
        if self.other is None:
            return []
        then = self._recorded_refusals if self.refusals is None else self.refusals
        before, after = _by_rule(then), _by_rule(self.other)
        gone = [RuleChange(rule, refusal, None) for rule, refusal in before.items() if rule not in after]
        return gone + [RuleChange(rule, None, refusal) for rule, refusal in after.items() if rule not in before]


@dataclass(frozen=True)
class ReplayOutcome:
    """`unchecked` says what could be neither confirmed nor denied."""

    judged: tuple[Judged, ...]
    differences: tuple[ReplayDifference, ...]
    unchecked: tuple[str, ...]


def decide_again(
    entry: JournalEntry, settings: TraderDetail | None, other: TraderDetail | None = None
) -> ReplayOutcome:
    """`settings` None: the entry was decided before there were any; then nothing is compared but the parsing."""
    decisions, differences, unchecked = _parsed(entry.detail)
    moment = Moment.of(entry.decided_at, entry.detail)
    now = judge(decisions, settings, moment) if settings else [None] * len(decisions)
    under_other = judge(decisions, other, moment) if other else [None] * len(decisions)
    left = list(entry.detail.actions)
    judged = tuple(
        Judged(decision, _take(left, decision), refusals, others)
        for decision, refusals, others in zip(decisions, now, under_other, strict=True)
    )
    differences += [_not_asked_for(entry.detail.actions.index(action), action) for action in left]
    if settings:
        for one in judged:
            difference, unknown = _compared(one, entry.detail)
            differences += [difference] if difference else []
            unchecked += [unknown] if unknown else []
    return ReplayOutcome(judged, tuple(differences), tuple(unchecked))


def _parsed(detail: DecisionDetail) -> tuple[Sequence[Decision], list[ReplayDifference], list[str]]:
    """The decisions to judge: those of the answer where it was kept and can be read, else those recorded."""
    text = detail.answer.text if detail.answer else None
    if text is None:
        return detail.decisions, [], []
    try:
        parsed = parse_answer(text, detail.positions, Spellings(names_in(detail)))
    except InvalidRecord as error:
        if not detail.decisions:
            return (), [], []  # it could not be read then, and cannot now
        if was_redacted(text):
            return detail.decisions, [], [TEXT_REDACTED]
        message = f"the answer, from which decisions were recorded, cannot be read: {error}"
        return detail.decisions, [ReplayDifference("answer.text", len(detail.decisions), None, message)], []
    differences = _field_differences(detail.decisions, parsed)
    if differences and was_redacted(text):
        return detail.decisions, [], [TEXT_REDACTED]
    return parsed, differences, []


def _field_differences(recorded: Sequence[Decision], parsed: Sequence[Decision]) -> list[ReplayDifference]:
    if len(recorded) != len(parsed):
        message = f"{len(recorded)} decisions were recorded, and the answer holds {len(parsed)}"
        return [ReplayDifference("decisions", len(recorded), len(parsed), message)]
    return [
        ReplayDifference(
            f"decisions[{index}].{name}", was, now, f"was recorded as {_shown(was)}, and the answer says {_shown(now)}"
        )
        for index, pair in enumerate(zip(recorded, parsed, strict=True))
        for name in Decision.model_fields
        for was, now in [(getattr(pair[0], name), getattr(pair[1], name))]
        # Engines write 0 and "" for what is not given.
        if (was or None) != (now or None)
    ]


def _take(left: list[ActionTaken], decision: Decision) -> ActionTaken | None:
    for action in left:
        if (action.symbol, action.action) == (decision.symbol, decision.action):
            left.remove(action)
            return action
    return None


def _not_asked_for(index: int, action: ActionTaken) -> ReplayDifference:
    message = f"{action.action} {action.symbol} was recorded as done, and no decision asks for it"
    return ReplayDifference(f"actions[{index}]", action.action, None, message)


def _compared(one: Judged, detail: DecisionDetail) -> tuple[ReplayDifference | None, str]:
    """A difference, or what cannot be told, or neither: recorded and replayed agree."""
    assert one.refusals is not None
    if not one.acts:
        return None, ""
    if one.recorded is None and not detail.actions and not detail.error:
        return None, f"{one.name}: what was done was not recorded"
    if one.recorded is not None and one.recorded.refused_by:
        return _rules_compared(one, one.recorded.refused_by), ""
    let_through = one.recorded is not None and one.recorded.ok
    if not one.is_known:
        lacking = "; ".join(f"{refusal.rule}: {refusal.missing}" for refusal in one.refusals)
        return None, f"{one.name}: cannot be judged ({lacking})"
    if let_through == (not one.refusals):
        return None, ""
    rules = tuple(refusal.rule for refusal in one.refusals)
    if let_through:
        message = f"{one.name} was let through, and is refused by {'; '.join(map(_said, one.refusals))}"
        return ReplayDifference("actions", "ok", rules, message), ""
    error = one.recorded.error if one.recorded else detail.error
    message = f"{one.name} was not done ({error or 'no reason was recorded'}), and every rule lets it through"
    return ReplayDifference("actions", "error", rules, message), ""


def _rules_compared(one: Judged, recorded: Sequence[str]) -> ReplayDifference | None:
    replayed = tuple(refusal.rule for refusal in one.refusals or ())
    lost = [rule for rule in recorded if rule not in replayed]
    if not lost:
        return None
    now = f"refused by {', '.join(replayed)} alone" if replayed else "let through"
    message = f"{one.name} was refused by {', '.join(recorded)}, and is {now}"
    return ReplayDifference("actions", tuple(recorded), replayed, message)


def _by_rule(refusals: Sequence[CheckRefusal]) -> dict[str, CheckRefusal]:
    return {refusal.rule: refusal for refusal in refusals}


def _said(refusal: CheckRefusal) -> str:
    return f"{refusal.rule} ({refusal.message})"


def _shown(value: Any) -> str:
    text = "nothing" if value is None or value == "" else str(value)
    return text if len(text) <= 100 else text[:97] + "..."
