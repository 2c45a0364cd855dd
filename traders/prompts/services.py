"""Prompts written in the browser: a new text is stored, and the traders that used the old one move to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.conf import settings

from traders.manager_yaml.file import InvalidFile, PromptRules
from traders.manager_yaml.neighbours import known_names
from traders.manager_yaml.prompts import CheckedPrompt, InvalidPrompt, PromptReader, judged
from traders.prompt_texts import writer as prompts
from traders.prompts.rules import PromptFileFate, fate_of
from traders.schema.messages import TranslatableText, _
from traders.schema.paths import Flat
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.prompts import PromptFile, path_problem
from traders.schema.settings.declare import unprintable
from traders.schema.settings.stored import SavedVersion, StoredConfig
from traders.versions.bulk.proposal import ChangedMeanwhile, FleetProposal, propose_for_traders, save_for_traders
from traders.versions.lock import locked_fleet
from traders.versions.reason import required_reason
from traders.versions.rules.merge import UNITS

SOURCE = "prompt"
LONGEST_PATH = 500


@dataclass(frozen=True, slots=True)
class PromptOnDisk:
    """A prompt's file beside manager.yaml. `problem` says why a sync would refuse it; then there is no text."""

    path: str
    text: PromptFile | None
    problem: TranslatableText | None = None


def existing(sha256: str) -> PromptFile | None:
    return prompts.texts([sha256]).get(sha256)


def of_traders(sha256: str, trader_ids: Collection[str]) -> PromptFile | None:
    """None also for a text that no version of these traders names."""
    return existing(sha256) if prompts.was_used_by(sha256, trader_ids) else None


def written(*, path: str, body: str, like: PromptFile | None = None) -> CheckedPrompt:
    """The text as it will be stored, held to the rules of a prompt file.

    A browser sends every line end as CRLF: it becomes LF, unless the text it is written `like` has CRLF itself.
    Raises InvalidConfig with problems at `path` and `body`.
    """
    problems = [Problem("path", problem) for problem in [_wrong_path(path)] if problem]
    newline = "\r\n" if like and "\r\n" in like.body else "\n"
    content = body.replace("\r\n", "\n").replace("\n", newline).encode()
    if not content.strip():
        raise InvalidConfig([*problems, Problem("body", _("is required: a prompt without a text asks for nothing"))])
    try:
        found = judged(path, content, _rules())
    except InvalidPrompt as error:
        raise InvalidConfig(
            [*problems, Problem("body", _("would be %(path)s%(error)s", path=repr(path), error=error))]
        ) from None
    if problems:
        raise InvalidConfig(problems)
    return found


def create(*, text: PromptFile, reason: str) -> None:
    """Stores a text that no trader uses yet. Raises InvalidConfig when it is stored already."""
    required_reason(reason)
    with locked_fleet():
        if stored := existing(text.sha256):
            raise InvalidConfig(
                [Problem("body", _("is stored already, as %(name)s", name=f"{stored.path} {stored.version}".rstrip()))]
            )
        prompts.keep([text])


def propose(*, old: PromptFile, new: PromptFile, trader_ids: Collection[str]) -> FleetProposal:
    """What moving these traders from `old` to `new` would do; those that do not use `old` stay as they are.

    `old.path` is the prompt as the traders name it. Writes nothing. Raises UnknownConfig.
    """
    return propose_for_traders(config_ids=trader_ids, decide=lambda current: _moved(current, old, new))


def save(
    *,
    old: PromptFile,
    new: PromptFile,
    trader_ids: Collection[str],
    seen: Mapping[str, int],
    reason: str,
    actor: str,
) -> list[SavedVersion]:
    """Stores `new` and moves these traders to it, in one change set; all or nothing.

    Raises what `save_for_traders` raises, and ChangedMeanwhile for a trader that uses `old` no more.
    """

    def decide(current: StoredConfig) -> Flat:
        flat = _moved(current, old, new)
        if flat is current.flat:
            raise ChangedMeanwhile({current.config_id: [unit[0] for unit in UNITS]})
        return flat

    required_reason(reason)
    with locked_fleet():
        prompts.keep([new])
        return save_for_traders(
            config_ids=trader_ids, decide=decide, seen=seen, reason=reason, actor=actor, source=SOURCE
        )


def on_disk(paths: Collection[str]) -> dict[str, PromptOnDisk]:
    """{path: its file} of each of these prompts."""
    reading = PromptReader(settings.MANAGER_YAML.parent, _rules_or_none())
    return {path: _read(reading, path) for path in dict.fromkeys(paths)}


def fates(uses: Collection[prompts.PromptUse], files: Mapping[str, PromptOnDisk]) -> dict[PromptFileFate, int]:
    """{what the next sync does: for how many traders}. The file must hold a text for a use to be counted."""
    found: dict[PromptFileFate, int] = {}
    for use in uses:
        file = files[use.path].text
        if file is not None:
            fate = fate_of(file=file.sha256, stored=use.sha256, declared=use.declared)
            found[fate] = found.get(fate, 0) + use.traders
    return found


def _moved(current: StoredConfig, old: PromptFile, new: PromptFile) -> Flat:
    """The same object back where `old` is not used."""
    flat = current.flat
    for template, version, sha256 in UNITS:
        if flat.get(template) == old.path and flat.get(sha256) == old.sha256:
            flat = {**flat, version: new.version, sha256: new.sha256}
    return flat


def _wrong_path(path: str) -> TranslatableText | None:
    if not path:
        return _("is required, such as prompts/manager/long.tmpl")
    if len(path) > LONGEST_PATH:
        return _("must have at most %(most)s characters, was %(count)s", most=LONGEST_PATH, count=len(path))
    if unprintable(path) is not None:
        return _("must not hold control characters")
    return path_problem(path)


def _rules() -> PromptRules | None:
    try:
        return known_names(settings.MANAGER_YAML.parent).prompt_rules
    except InvalidFile as broken:
        raise InvalidConfig(
            [Problem("", _("cannot be checked against executor.yaml: %(broken)s", broken=broken))]
        ) from None


def _rules_or_none() -> PromptRules | None:
    """For reading only: a broken file is reported when a text is saved."""
    try:
        return _rules()
    except InvalidConfig:
        return None


def _read(reading: PromptReader, path: str) -> PromptOnDisk:
    try:
        return PromptOnDisk(path, reading.read(path))
    except InvalidPrompt as error:
        return PromptOnDisk(path, None, error.message)
