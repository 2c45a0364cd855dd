"""A configuration's version as it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from traders.api.wire import Answer
from traders.controls import wanted
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.stored import StoredConfig
from traders.schema.settings.trader import TraderSpec


class Version(Answer):
    """A version without its settings."""

    config_id: str = Field(description='A trader\'s id, or "@manager" for the settings of the fleet.')
    version: int
    change_set: int = Field(description="All versions of one change share it. It rises with time.")
    changed_at: datetime
    changed_by: str = Field(description="The name at the time: of an account, `token:...` or `cli:...`.")
    account_id: int | None = Field(
        description="The account that had the name, since names may pass on; null for tokens, commands, old versions."
    )
    reason: str
    source: str
    changed_fields: list[str] = Field(description="Dotted paths; empty for the first version.")


class Config(Version):
    """A whole version. Where `config.detail.retired` is true the trader must stop for good; that is of the newest
    version, also where an older one is pinned."""

    kind: Literal["config"] = "config"
    pinned: bool = Field(False, description="The trader is held at this version; newer ones do not run.")
    config: TraderSpec | FleetSpec


def version_of(stored: StoredConfig) -> Version:
    return Version(**_facts(stored))


def config_of(stored: StoredConfig) -> Config:
    return Config(**_facts(stored), config=stored.spec)


def configs_in_force(newest: Sequence[StoredConfig]) -> list[Config]:
    """Of each the version that is to run: the pinned one, else the one that is given."""
    pinned = wanted.pinned_among([stored.config_id for stored in newest])
    return [
        _pinned(pinned[stored.config_id], stored) if stored.config_id in pinned else config_of(stored)
        for stored in newest
    ]


def _pinned(stored: StoredConfig, newest: StoredConfig) -> Config:
    return Config(**_facts(stored), pinned=True, config=wanted.spec_to_run(stored, newest))


def _facts(stored: StoredConfig) -> dict[str, Any]:
    return {
        "config_id": stored.config_id,
        "version": stored.version,
        "change_set": stored.change_set,
        "changed_at": stored.changed_at,
        "changed_by": stored.changed_by,
        "account_id": stored.account_id,
        "reason": stored.reason,
        "source": stored.source,
        "changed_fields": list(stored.changed_fields),
    }
