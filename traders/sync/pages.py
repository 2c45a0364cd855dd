"""Presents the result or the plan of a sync: counts of all, details of the first of each kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from traders.pages.changes import ChangeLine, digests_in, rows
from traders.pages.saved import pinned_words, waits_for_unpin
from traders.pages.versions import prompt_bodies
from traders.schema.settings.fleet import FLEET_ID
from traders.sync.rules import SyncAction, SyncOutcome, SyncReport
from traders.versions.rules.merge import Divergence
from traders.versions.rules.proposal import settings_of
from traders.words import settings as words

SHOWN = 50


@dataclass(frozen=True)
class SyncOutcomeLine:
    """One configuration that changes."""

    title: str
    config_id: str
    version: int
    rows: list[ChangeLine]


@dataclass(frozen=True)
class SyncConflictLine:
    """One setting that file and operator changed differently."""

    title: str
    path: str
    label: str
    base: str
    file: str
    stored: str


def report_of(report: SyncReport) -> dict[str, Any]:
    """The context of `parts/sync_report.html`."""
    by_action = {action: [o for o in report.outcomes if o.action is action] for action in SyncAction}
    changing = [*by_action[SyncAction.UPDATED], *by_action[SyncAction.RETIRED]]
    texts = prompt_bodies(digests_in(change for outcome in changing[:SHOWN] for change in outcome.changes))
    missing = [line for line in report.missing if not any(o.config_id == line.trader_id for o in report.outcomes)]
    return {
        "report": report,
        "updated": [_shown(outcome, texts) for outcome in changing[:SHOWN]],
        "updated_count": len(changing),
        "inserted": [_title(outcome.config_id) for outcome in by_action[SyncAction.INSERTED][:SHOWN]],
        "inserted_count": len(by_action[SyncAction.INSERTED]),
        "adopted_count": len(by_action[SyncAction.ADOPTED]),
        "retired_count": len(by_action[SyncAction.RETIRED]),
        "conflicts": [_conflict(*found) for found in report.open_conflicts[:SHOWN]],
        "conflict_count": len(report.open_conflicts),
        "missing": missing[:SHOWN],
        "missing_count": len(missing),
        "version_count": len(report.versions),
        "pinned_words": pinned_words([one.config_id for one in report.versions if waits_for_unpin(one.changes)]),
    }


def _shown(outcome: SyncOutcome, texts: Any) -> SyncOutcomeLine:
    found = rows(outcome.config_id, outcome.changes, texts=texts)
    return SyncOutcomeLine(_title(outcome.config_id), outcome.config_id, outcome.version, found)


def _conflict(config_id: str, conflict: Divergence) -> SyncConflictLine:
    settings = settings_of(config_id)
    setting = settings.get(conflict.path)
    base, file, stored = (words.value(setting, value) for value in (conflict.base, conflict.file, conflict.stored))
    return SyncConflictLine(_title(config_id), conflict.path, words.place(settings, conflict.path), base, file, stored)


def _title(config_id: str) -> str:
    return _("Fleet settings") if config_id == FLEET_ID else config_id
