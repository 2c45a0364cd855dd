"""A change of many traders as pages show it: what happens to each and to the fleet, and what stands against it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.pages.admin_log import log_change_set
from traders.pages.changes import ChangeRow, digests_in, rows
from traders.pages.config_page import ConfigPage
from traders.pages.preview_flow import PreviewFlow
from traders.pages.versions import prompt_bodies
from traders.schema import jsonio
from traders.schema.problems import Problem
from traders.schema.settings.stored import SavedVersion, StoredConfig
from traders.versions import services as configs
from traders.versions.bulk.chosen import LEAVE, SEEN
from traders.versions.bulk.many import ChangedMeanwhile, FleetProposal, ProposalPart

SHOWN = 50
"""The most traders that are shown in full; all are counted."""

Contested = Mapping[str, Sequence[str]]
"""{trader_id: the paths that were saved since the preview}."""


@dataclass(frozen=True)
class PartShown:
    """What happens to one trader. `contested` are the paths among `rows` that were saved since the preview."""

    page: ConfigPage
    current: StoredConfig
    rows: list[ChangeRow]
    problems: Sequence[Problem]
    contested: frozenset[str]

    @property
    def name(self) -> str:
        return self.page.name(self.current)


def preview_of(page: ConfigPage, proposal: FleetProposal, contested: Contested | None = None) -> dict[str, Any]:
    """The context of `parts/fleet_preview.html`; contested and refused traders come first."""
    found = contested or {}
    parts = sorted(proposal.parts, key=lambda part: _urgency(part, found))
    shown = parts[:SHOWN]
    stored = configs.versions({part.config_id: part.version for part in shown})
    texts = prompt_bodies(digests_in(change for part in shown for change in part.changes))
    return {
        "proposal": proposal,
        "parts": [_shown(page, part, stored[part.config_id], texts, found) for part in shown],
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


class ManyFlow(PreviewFlow):
    """A change of many traders in one change set. A subclass adds the form, its pages, `save` and `words_of`."""

    stale_errors = (ChangedMeanwhile,)
    not_carried = (*PreviewFlow.not_carried, SEEN, LEAVE)

    def __init__(self, page: ConfigPage, trader_ids: Sequence[str] = ()) -> None:
        super().__init__(page)
        self.trader_ids = trader_ids

    @abstractmethod
    def words_of(self, count: int) -> str:
        """The message after the save, with `%(n)d` for the number of traders."""

    @abstractmethod
    def preview_page(self, *, contested: Contested | None = None) -> HttpResponse:
        """What would happen to each trader; `contested` are those that somebody changed meanwhile."""

    def stale_page(self, stale: ChangedMeanwhile) -> HttpResponse:
        """The preview again, which marks what somebody saved meanwhile."""
        return self.preview_page(contested=stale.contested)

    def saved(self, result: list[SavedVersion]) -> HttpResponse:
        """On to the change set that was made."""
        if not result:
            messages.info(self.request, _("Nothing differs: no version was made."))
            return HttpResponseRedirect(self.page.list_url)
        log_change_set(self.page, result, self.reason)
        messages.success(self.request, self.words_of(len(result)) % {"n": len(result)})
        return HttpResponseRedirect(reverse("admin:traders_changeset", args=[result[0].change_set]))


def _urgency(part: ProposalPart, contested: Contested) -> tuple[bool, bool, bool, str]:
    name = part.config_id
    return name not in contested, not part.problems, not part.riskier, name


def _shown(
    page: ConfigPage, part: ProposalPart, current: StoredConfig, texts: Mapping[str, str], contested: Contested
) -> PartShown:
    name = part.config_id
    return PartShown(
        page=ConfigPage(page.admin, page.request, name),
        current=current,
        rows=rows(name, part.changes, texts=texts),
        problems=part.problems,
        contested=frozenset(contested.get(name, ())),
    )
