"""The replay of a recorded decision under the settings of its time, and under others. Pure.

The answer is parsed again if it was recorded, and every risk check runs again on what was known at that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from traders.schema.messages import TranslatableText, _, joined, verbatim
from traders.schema.redaction import was_redacted
from traders.schema.settings.trader import TraderDetail
from trading.record.rules.errors import InvalidRecord
from trading.replay.rules.checks.moment import CheckRefusal, DecisionMoment
from trading.replay.rules.parsing import parse_answer
from trading.replay.rules.risk_checks import judge
from trading.schema.decision import ActionTaken, Decision, DecisionDetail, JournalEntry, Withheld
from trading.schema.spelling import Spellings, names_in

_WITHHELD = frozenset(Withheld)
TEXT_REDACTED = _("text redacted: the answer was stored without its secrets, so it cannot be compared")


@dataclass(frozen=True, slots=True)
class ReplayDifference:
    """`place` is the path in the detail of the decision; `message` describes the difference."""

    place: str
    recorded: Any
    replayed: Any
    message: TranslatableText


@dataclass(frozen=True, slots=True)
class RuleChange:
    """The answer of a rule under the settings of the decision's time and under others. None: the decision passes."""

    rule: str
    before: CheckRefusal | None
    after: CheckRefusal | None


@dataclass(frozen=True, slots=True)
class JudgedDecision:
    """A decision with its recorded action, and its refusals under the settings of its time and under the others.

    `recorded` None: no action was recorded. Refusals None: there are no such settings.
    """

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
        """Whether the rules have an answer: the decision passes, or one refusal is not for missing data."""
        return not self.refusals or any(not refusal.missing for refusal in self.refusals)

    @property
    def _recorded_refusals(self) -> list[CheckRefusal]:
        rules = self.recorded.refused_by if self.recorded else None
        return [CheckRefusal(rule, _("as it was recorded")) for rule in rules or ()]

    @property
    def changes(self) -> list[RuleChange]:
        """The rules that refuse under one of the two settings only. Without settings of its time, the recorded refusals
        stand for them."""
        if self.other is None:
            return []
        then = self._recorded_refusals if self.refusals is None else self.refusals
        before, after = _by_rule(then), _by_rule(self.other)
        gone = [RuleChange(rule, refusal, None) for rule, refusal in before.items() if rule not in after]
        return gone + [RuleChange(rule, None, refusal) for rule, refusal in after.items() if rule not in before]


@dataclass(frozen=True)
class ReplayOutcome:
    """`unchecked`: what could not be compared, and why."""

    judged: tuple[JudgedDecision, ...]
    differences: tuple[ReplayDifference, ...]
    unchecked: tuple[TranslatableText, ...]


def decide_again(
    entry: JournalEntry, settings: TraderDetail | None, other: TraderDetail | None = None
) -> ReplayOutcome:
    """`settings` None: the trader had no version yet. Then only the parsed answer is compared."""
    decisions, differences, unchecked = _parsed(entry.detail)
    moment = DecisionMoment.of(entry.decided_at, entry.detail)
    now = judge(decisions, settings, moment) if settings else [None] * len(decisions)
    under_other = judge(decisions, other, moment) if other else [None] * len(decisions)
    left = list(entry.detail.actions)
    judged = tuple(
        JudgedDecision(decision, _take(left, decision), refusals, others)
        for decision, refusals, others in zip(decisions, now, under_other, strict=True)
    )
    differences += [_not_asked_for(entry.detail.actions.index(action), action) for action in left]
    if settings:
        for one in judged:
            difference, unknown = _compared(one, entry.detail)
            differences += [difference] if difference else []
            unchecked += [unknown] if unknown else []
    return ReplayOutcome(judged, tuple(differences), tuple(unchecked))


def _parsed(detail: DecisionDetail) -> tuple[Sequence[Decision], list[ReplayDifference], list[TranslatableText]]:
    """The decisions to check: parsed from the answer if that was recorded and can be read, else as recorded."""
    text = detail.answer.text if detail.answer else None
    if text is None:
        return detail.decisions, [], []
    try:
        parsed = parse_answer(text, detail.positions, Spellings(names_in(detail)))
    except InvalidRecord as error:
        if not detail.decisions:
            return (), [], []  # it could not be read at the time either
        if was_redacted(text):
            return detail.decisions, [], [TEXT_REDACTED]
        message = _("decisions were recorded, and the answer cannot be read: %(error)s", error=error)
        return detail.decisions, [ReplayDifference("answer.text", len(detail.decisions), None, message)], []
    differences = _field_differences(detail.decisions, parsed)
    if differences and was_redacted(text):
        return detail.decisions, [], [TEXT_REDACTED]
    return parsed, differences, []


def _field_differences(recorded: Sequence[Decision], parsed: Sequence[Decision]) -> list[ReplayDifference]:
    if len(recorded) != len(parsed):
        message = _(
            "%(recorded)s decisions were recorded, and the answer holds %(parsed)s",
            recorded=len(recorded),
            parsed=len(parsed),
        )
        return [ReplayDifference("decisions", len(recorded), len(parsed), message)]
    return [
        ReplayDifference(
            f"decisions[{index}].{name}",
            was,
            now,
            _("was recorded as %(recorded)s, and the answer says %(parsed)s", recorded=_shown(was), parsed=_shown(now)),
        )
        for index, pair in enumerate(zip(recorded, parsed, strict=True))
        for name in Decision.model_fields
        for was, now in [(getattr(pair[0], name), getattr(pair[1], name))]
        # Engines write 0 and "" for a field that is not given.
        if (was or None) != (now or None)
    ]


def _take(left: list[ActionTaken], decision: Decision) -> ActionTaken | None:
    for action in left:
        if (action.symbol, action.action) == (decision.symbol, decision.action):
            left.remove(action)
            return action
    return None


def _not_asked_for(index: int, action: ActionTaken) -> ReplayDifference:
    message = _(
        "%(action)s %(symbol)s was recorded as done, and no decision asks for it",
        action=action.action,
        symbol=action.symbol,
    )
    return ReplayDifference(f"actions[{index}]", action.action, None, message)


def _compared(one: JudgedDecision, detail: DecisionDetail) -> tuple[ReplayDifference | None, TranslatableText | None]:
    """(difference, what could not be compared): at most one of them; neither if record and replay agree."""
    assert one.refusals is not None
    if not one.acts:
        return None, None
    if one.recorded is None and not detail.actions and not detail.error:
        return None, _("%(name)s: its action was not recorded", name=one.name)
    if one.recorded is not None and one.recorded.refused_by:
        if all(rule in _WITHHELD for rule in one.recorded.refused_by):
            held_back = ", ".join(one.recorded.refused_by)
            return None, _(
                "%(name)s: was held back by %(rules)s, which no replay checks", name=one.name, rules=held_back
            )
        return _rules_compared(one, one.recorded.refused_by), None
    let_through = one.recorded is not None and one.recorded.ok
    if not one.is_known:
        lacking = joined("; ", [_("%(rule)s: %(missing)s", rule=r.rule, missing=r.missing) for r in one.refusals])
        return None, _("%(name)s: cannot be checked (%(missing)s)", name=one.name, missing=lacking)
    if let_through == (not one.refusals):
        return None, None
    rules = tuple(refusal.rule for refusal in one.refusals)
    if let_through:
        refusals = joined("; ", [_said(refusal) for refusal in one.refusals])
        message = _("%(name)s passed, and is refused by %(refusals)s", name=one.name, refusals=refusals)
        return ReplayDifference("actions", "ok", rules, message), None
    error = one.recorded.error if one.recorded else detail.error
    why = verbatim(error) if error else _("no reason was recorded")
    message = _("%(name)s was not done (%(why)s), and passes every rule", name=one.name, why=why)
    return ReplayDifference("actions", "error", rules, message), None


def _rules_compared(one: JudgedDecision, recorded: Sequence[str]) -> ReplayDifference | None:
    replayed = tuple(refusal.rule for refusal in one.refusals or ())
    lost = [rule for rule in recorded if rule not in replayed]
    if not lost:
        return None
    now = _("is refused by %(rules)s only", rules=", ".join(replayed)) if replayed else _("passes every rule")
    message = _(
        "%(name)s was refused by %(recorded)s, and %(now)s", name=one.name, recorded=", ".join(recorded), now=now
    )
    return ReplayDifference("actions", tuple(recorded), replayed, message)


def _by_rule(refusals: Sequence[CheckRefusal]) -> dict[str, CheckRefusal]:
    return {refusal.rule: refusal for refusal in refusals}


def _said(refusal: CheckRefusal) -> TranslatableText:
    return _("%(rule)s (%(message)s)", rule=refusal.rule, message=refusal.message)


def _shown(value: Any) -> str:
    if value is None or value == "":
        return _("nothing")
    text = str(value)
    return text if len(text) <= 100 else text[:97] + "..."
