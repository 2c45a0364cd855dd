"""What a change would do, shown before it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from traders.schema.paths import ABSENT, Change
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.declare import Setting
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import Spec, StoredConfig
from traders.versions.rules.allocation import Allocation


@dataclass(frozen=True)
class Proposal:
    """`current` is None for a new trader. `changes` turn it into `spec`; `riskier` are the paths among them that
    raise risk. `before` and `after` are the fleet's allocation without and with the change."""

    spec: Spec
    current: StoredConfig | None
    changes: tuple[Change, ...]
    riskier: frozenset[str]
    before: Allocation
    after: Allocation

    @property
    def next_version(self) -> int:
        return self.current.version + 1 if self.current else 1


def settings_of(config_id: str) -> Mapping[str, Setting]:
    return FLEET_SETTINGS if config_id == FLEET_ID else TRADER_SETTINGS


def riskier_paths(config_id: str, changes: Sequence[Change]) -> frozenset[str]:
    settings = settings_of(config_id)
    return frozenset(
        change.path
        for change in changes
        if change.old is not ABSENT
        and change.path in settings
        and settings[change.path].raises_risk(change.old, change.new)
    )
