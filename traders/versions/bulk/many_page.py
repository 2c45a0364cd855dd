"""A change of many traders as pages show it: what happens to each and to the fleet, and what stands against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.pages.changes import Row, digests_in, rows
from traders.pages.desk import Desk
from traders.pages.versions import prompt_bodies
from traders.schema import jsonio
from traders.schema.settings.stored import SavedVersion, StoredConfig
from traders.versions import services as configs
from traders.versions.bulk.many import FleetProposal, Part

SHOWN = 50
"""Traders shown in full; all of them are counted."""

Contested = Mapping[str, Sequence[str]]
"""{trader_id: the paths that were saved since the preview}."""


@dataclass(frozen=True)
class PartShown:
    """What happens to one trader. `contested` are the paths among `rows` that were saved since the preview."""

    desk: Desk
    current: StoredConfig
    rows: list[Row]
    problems: list[str]
    contested: frozenset[str]

    @property
    def name(self) -> str:
        return self.desk.name(self.current)


def preview_of(desk: Desk, proposal: FleetProposal, contested: Contested | None = None) -> dict[str, Any]:
    """The context of `parts/fleet_preview.html`; contested and refused traders come first."""
    found = contested or {}
    parts = sorted(proposal.parts, key=lambda part: _urgency(part, found))
    shown = parts[:SHOWN]
    stored = configs.versions({part.config_id: part.version for part in shown})
    texts = prompt_bodies(digests_in(change for part in shown for change in part.changes))
    return {
        "proposal": proposal,
        "parts": [_shown(desk, part, stored[part.config_id], texts, found) for part in shown],
        "more": len(parts) - len(shown),
        "changing": len(parts),
        "settings_count": sum(len(part.changes) for part in parts),
        "raised_count": sum(bool(part.riskier) for part in parts),
        "wrong_count": sum(bool(part.problems) for part in parts),
        "contested_count": len(found),
        "rule": proposal.rule,
        "refused": bool(proposal.problems),
        "seen": jsonio.dumps(proposal.seen),
    }


def saved_page(desk: Desk, saved: Sequence[SavedVersion], said: str) -> HttpResponse:
    """On to the change set that was made."""
    if not saved:
        messages.info(desk.request, _("Nothing differs: no version was made."))
        return HttpResponseRedirect(desk.list_url)
    messages.success(desk.request, said)
    return HttpResponseRedirect(reverse("admin:traders_changeset", args=[saved[0].change_set]))


def _urgency(part: Part, contested: Contested) -> tuple[bool, bool, bool, str]:
    name = part.config_id
    return name not in contested, not part.problems, not part.riskier, name


def _shown(desk: Desk, part: Part, current: StoredConfig, texts: Mapping[str, str], contested: Contested) -> PartShown:
    name = part.config_id
    return PartShown(
        desk=Desk(desk.admin, desk.request, name),
        current=current,
        rows=rows(name, part.changes, texts=texts),
        problems=[f"{problem.path} {problem.message}".strip() for problem in part.problems],
        contested=frozenset(contested.get(name, ())),
    )
