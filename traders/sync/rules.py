"""The result or the plan of a sync: the command prints it, a page shows it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

from traders.schema.messages import TranslatableText
from traders.schema.paths import Change
from traders.versions.rules.merge import Divergence


class SyncAction(StrEnum):
    INSERTED = "inserted"
    UPDATED = "updated"
    RETIRED = "retired"
    ADOPTED = "adopted"  # no new version; from now on the file's values are the base
    CONFLICT = "conflict"  # nothing applied, conflicts open


class ExitCode(IntEnum):
    DONE = 0
    REFUSED = 1
    WOULD_CHANGE = 2
    CONFLICTS = 3


@dataclass(frozen=True)
class SyncOutcome:
    """One configuration ("@manager" = the fleet's settings) that the sync touched. `version` is its
    version afterwards; an updated one may have open conflicts as well."""

    config_id: str
    action: SyncAction
    version: int
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Divergence, ...] = ()

    @property
    def makes_version(self) -> bool:
        return self.action in (SyncAction.INSERTED, SyncAction.UPDATED, SyncAction.RETIRED)


@dataclass(frozen=True)
class MissingTrader:
    """A trader that an earlier file declared and this file does not."""

    trader_id: str
    allocation_pct: Decimal
    retired: bool


@dataclass(frozen=True)
class SyncReport:
    """`outcomes` leaves out unchanged configurations, which are only counted. `change_set` is None when no version was
    made."""

    path: str
    file_sha256: str
    check: bool
    outcomes: tuple[SyncOutcome, ...]
    unchanged: int
    missing: tuple[MissingTrader, ...]
    warnings: tuple[TranslatableText, ...] = ()
    change_set: int | None = None

    @property
    def versions(self) -> Sequence[SyncOutcome]:
        return [outcome for outcome in self.outcomes if outcome.makes_version]

    @property
    def open_conflicts(self) -> Sequence[tuple[str, Divergence]]:
        return [(outcome.config_id, conflict) for outcome in self.outcomes for conflict in outcome.conflicts]

    @property
    def exit_code(self) -> ExitCode:
        if self.check and self.versions:
            return ExitCode.WOULD_CHANGE
        return ExitCode.CONFLICTS if self.open_conflicts else ExitCode.DONE

    @property
    def fingerprint(self) -> str:
        """A digest of the plan: the outcome of each configuration and its version, and the missing traders."""
        plan = (sorted(self.outcomes, key=lambda outcome: outcome.config_id), self.missing)
        return hashlib.sha256(repr(plan).encode()).hexdigest()

    def count(self, action: SyncAction) -> int:
        return sum(outcome.action is action for outcome in self.outcomes)

    def summary(self) -> dict[str, Any]:
        """{inserted, updated, retired, adopted, unchanged, conflicts, missing}, all counts."""
        return {
            **{action.value: self.count(action) for action in SyncAction if action is not SyncAction.CONFLICT},
            "unchanged": self.unchanged,
            "conflicts": len(self.open_conflicts),
            "missing": len(self.missing),
        }
