"""The replay of decisions with the configuration, prompt texts and market data of their moment.

It asks no model and no exchange, and writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from traders.prompt_texts import writer as prompts
from traders.schema.messages import TranslatableText, _, joined
from traders.schema.redaction import redactions_in
from traders.schema.settings.stored import StoredConfig
from traders.schema.settings.trader import TraderSpec
from traders.versions import services as configs
from traders.versions.rules.errors import UnknownConfig
from trading.record.exclusions import queries as exclusions
from trading.record.rules.errors import NoDecision, RecordError
from trading.record.writing import decisions
from trading.replay.rules.replaying import JudgedDecision, ReplayDifference, RuleChange, decide_again
from trading.schema.decision import Prompt, RecordedDecision
from trading.schema.exclusion import Exclusion

VERSIONS_KEPT = 32


class ReplayVerdict(StrEnum):
    AGREES = "agrees"
    DIFFERS = "differs"
    INCOMPLETE = "incomplete"  # no difference was found, but not everything could be checked


@dataclass(frozen=True, slots=True)
class RecordedPrompt:
    """A prompt of the configuration, or the template that the decision names. `text` None: it is not stored."""

    role: str
    path: str
    sha256: str | None
    text: str | None


@dataclass(frozen=True)
class Replay:
    """`config`: the configuration that decided, None before the trader's first version. `other`: the settings to
    compare with, and `other_name` their name. `set_aside`: the entry that set the decision aside. `unchecked`: what
    could not be compared. `notes`: what was not recorded."""

    recorded: RecordedDecision
    config: StoredConfig | None
    prompts: tuple[RecordedPrompt, ...]
    judged: tuple[JudgedDecision, ...]
    differences: tuple[ReplayDifference, ...]
    unchecked: tuple[TranslatableText, ...]
    notes: tuple[TranslatableText, ...]
    other: TraderSpec | None = None
    other_name: str = ""
    set_aside: Exclusion | None = None

    @property
    def verdict(self) -> ReplayVerdict:
        if self.differences:
            return ReplayVerdict.DIFFERS
        return ReplayVerdict.INCOMPLETE if self.unchecked else ReplayVerdict.AGREES

    @property
    def changes(self) -> list[tuple[JudgedDecision, RuleChange]]:
        """What differs under the other settings, rule by rule."""
        return [(one, change) for one in self.judged for change in one.changes]


def replay(trader_id: str, decision_id: int, *, version: int | None = None, spec: TraderSpec | None = None) -> Replay:
    """The decision under the settings of its time, compared with what was recorded.

    Also under `version` of its trader or `spec`, if one is given. Raises NoDecision, CannotBeRead, UnknownVersion.
    """
    return _Environment().replay(_recorded(trader_id, decision_id), version, spec)


def recorded_trader(decision_id: int) -> str:
    """The trader of a decision, by its number alone. Raises RecordError."""
    found = decisions.trader_of(decision_id)
    if found is None:
        raise RecordError(_("there is no decision %(decision_id)s", decision_id=decision_id))
    return found


def replays(
    trader_id: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    version: int | None = None,
    spec: TraderSpec | None = None,
) -> Iterator[Replay]:
    """A trader's decisions at or after `since` and before `until`, in order of time, one in memory at a time.

    Raises UnknownConfig, UnknownVersion.
    """
    if configs.stored(trader_id) is None:
        raise UnknownConfig(trader_id)
    environment = _Environment()
    if version is not None:
        environment.config(trader_id, version)
    for recorded in decisions.of_period(trader_id, since, until):
        yield environment.replay(recorded, version, spec)


def _recorded(trader_id: str, decision_id: int) -> RecordedDecision:
    found = decisions.stored(trader_id, decision_id)
    if found is None:
        raise NoDecision(trader_id, decision_id)
    return found


class _Environment:
    """Reads each configuration and each prompt text once for all decisions."""

    def __init__(self) -> None:
        self.config = lru_cache(VERSIONS_KEPT)(configs.version)
        self._text = lru_cache(VERSIONS_KEPT)(_text)
        self._aside = lru_cache(VERSIONS_KEPT)(exclusions.decisions_aside)

    def replay(self, recorded: RecordedDecision, version: int | None, spec: TraderSpec | None) -> Replay:
        entry = recorded.entry
        own = None if entry.config_version is None else self.config(entry.trader_id, entry.config_version)
        other = spec if version is None else _trader_of(self.config(entry.trader_id, version))
        name = _("the settings given") if version is None else _("version %(version)s", version=version)
        settings = _trader_of(own).detail if own else None
        outcome = decide_again(entry, settings, other.detail if other else None)
        used = self._prompts(own, entry.detail.prompt)
        return Replay(
            recorded=recorded,
            config=own,
            prompts=used,
            judged=outcome.judged,
            differences=(*_template_difference(own, entry.detail.prompt), *outcome.differences),
            unchecked=(*_missing_settings(recorded), *_not_known(recorded), *outcome.unchecked),
            notes=(*_missing_parts(recorded), *_missing_texts(used)),
            other=other,
            other_name="" if other is None else name,
            set_aside=self._aside(entry.trader_id).get(recorded.id),
        )

    def _prompts(self, own: StoredConfig | None, sent: Prompt | None) -> tuple[RecordedPrompt, ...]:
        found = []
        if own:
            named = _trader_of(own).detail.prompts
            found = [
                ("system", named.system_template, named.system_sha256),
                ("executor", named.executor_template, named.executor_sha256),
            ]
        if sent and sent.template_sha256 and sent.template_sha256 not in [sha256 for _role, _path, sha256 in found]:
            found.append(("sent", "", sent.template_sha256))
        return tuple(RecordedPrompt(role, path, sha256, self._text(sha256)) for role, path, sha256 in found)


def _text(sha256: str | None) -> str | None:
    found = prompts.texts([sha256]) if sha256 else {}
    return found[sha256].body if sha256 in found else None


def _trader_of(config: StoredConfig) -> TraderSpec:
    assert isinstance(config.spec, TraderSpec)  # the fleet's settings decide nothing
    return config.spec


def _template_difference(own: StoredConfig | None, sent: Prompt | None) -> list[ReplayDifference]:
    if own is None or sent is None or sent.template_sha256 is None:
        return []
    named = _trader_of(own).detail.prompts
    if sent.template_sha256 in (named.system_sha256, named.executor_sha256):
        return []
    message = _("the template that was sent is no prompt of version %(version)s", version=own.version)
    return [ReplayDifference("prompt.template_sha256", sent.template_sha256, named.executor_sha256, message)]


def _missing_settings(recorded: RecordedDecision) -> list[TranslatableText]:
    if recorded.entry.config_version is not None:
        return []
    return [_("It was decided before the trader's first version: there are no settings of its time for a replay.")]


def _not_known(recorded: RecordedDecision) -> list[TranslatableText]:
    """Leaves that another release recorded and this one does not know."""
    return [_("%(path)s is not known to this release.", path=path) for path in recorded.unknown]


def _missing_parts(recorded: RecordedDecision) -> list[TranslatableText]:
    detail = recorded.entry.detail
    parts = {
        _("the prompt"): detail.prompt,
        _("the raw answer"): detail.answer and detail.answer.text,
        _("the account"): detail.account,
        _("the positions"): detail.positions,
        _("the market"): detail.market,
        _("the candidates"): detail.candidates,
        _("the cooldowns"): detail.cooldowns,
    }
    lacking = [name for name, part in parts.items() if part is None]
    notes = [_("Not recorded: %(parts)s.", parts=joined(", ", lacking))] if lacking else []
    if redacted := Counter(redactions_in(detail)):
        places = ", ".join(f"{path} ({count})" if count > 1 else path for path, count in redacted.items())
        notes.append(
            _(
                "Text redacted: %(places)s are stored without their secrets. Digests are of the whole text.",
                places=places,
            )
        )
    sent = detail.prompt
    if sent and not (sent.template_sha256 or sent.system_text or sent.user_text):
        notes.append(_("Only the digest of the prompt that was sent was recorded: %(digest)s.", digest=sent.digest))
    return notes


def _missing_texts(used: tuple[RecordedPrompt, ...]) -> list[TranslatableText]:
    return [
        _(
            "The text of the %(role)s prompt %(name)s is not stored.",
            role=prompt.role,
            name=prompt.path or prompt.sha256,
        )
        if prompt.sha256
        else _(
            "The version does not name the text of the %(role)s prompt %(name)s.", role=prompt.role, name=prompt.path
        )
        for prompt in used
        if prompt.text is None
    ]
