"""The content of a bundle: the fleet or part of it, now, in a version, or as of a moment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from traders.controls.wanted import pinned_among, spec_to_run
from traders.prompt_texts import writer as prompts
from traders.schema.messages import _
from traders.schema.prompts import PromptFile
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.stored import StoredConfig
from traders.schema.settings.trader import TraderSpec
from traders.versions import queries as configs
from traders.versions.rules.errors import NothingStored, UnknownConfig, UnknownVersion


@dataclass(frozen=True)
class Bundle:
    """`prompts` is keyed by sha256 and holds every text that the traders name and that is stored."""

    fleet: FleetSpec
    traders: Sequence[TraderSpec]
    prompts: dict[str, PromptFile]


def bundle(
    *,
    trader_ids: Collection[str] = (),
    version: int | None = None,
    at: datetime | None = None,
    is_running: bool = False,
) -> Bundle:
    """All traders, or these, in the order of their ids: now, at `version`, or as of the moment `at`. With `is_running`
    pinned traders have the version that they run.

    Raises UnknownConfig, UnknownVersion, and NothingStored when the fleet had no settings at that moment.
    """
    settings = configs.fleet_at(at) if at else configs.current_fleet()
    if settings is None or not isinstance(settings.spec, FleetSpec):
        raise NothingStored(
            _("the fleet has no settings at that moment")
            if at
            else _("the fleet has no settings yet: sync a manager.yaml first")
        )
    stored = _stored(trader_ids, version, at)
    pinned = pinned_among(stored) if is_running else {}
    to_run = [spec_to_run(pinned[name], newest) if name in pinned else newest.spec for name, newest in stored.items()]
    specs = [spec for spec in to_run if isinstance(spec, TraderSpec)]
    digests = {
        digest
        for spec in specs
        for digest in (spec.detail.prompts.system_sha256, spec.detail.prompts.executor_sha256)
        if digest
    }
    return Bundle(settings.spec, specs, prompts.texts(digests))


def _stored(trader_ids: Collection[str], version: int | None, at: datetime | None) -> dict[str, StoredConfig]:
    ids = trader_ids or None
    found = configs.traders_at(at, ids) if at else configs.current_traders(ids)
    if version is not None:
        found = {name: _at_version(name, version) for name in found}
    for name in trader_ids:
        if name not in found:
            raise UnknownConfig(name)
    return found


def _at_version(trader_id: str, version: int) -> StoredConfig:
    found = configs.version(trader_id, version)
    if found is None:
        raise UnknownVersion(trader_id, version)
    return found
