"""A change of many traders on pages: the effect on each trader and on the fleet, and the problems."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.pages.admin_log import log_change_set
from traders.pages.changes import ChangeLine, digests_in, rows
from traders.pages.config_page import ConfigPage
from traders.pages.preview_flow import PreviewFlow
from traders.pages.saved import pinned_words, say_saved, waits_for_unpin
from traders.pages.versions import prompt_bodies
from traders.schema import jsonio
from traders.schema.problems import Problem
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.schema.settings.stored import SavedVersion, StoredConfig
from traders.versions import services as configs
from traders.versions.bulk.chosen import LEAVE, LIST, SEEN, list_filter, list_url
from traders.versions.bulk.proposal import ChangedMeanwhile, FleetProposal, ProposalPart
from traders.versions.bulk.rounding import Rounding
from traders.words import settings as words

SHOWN, ROUNDINGS_SHOWN = 50, 8
"""The most traders that are shown in full, and roundings; all are counted."""

Contested = Mapping[str, Sequence[str]]
"""{trader_id: the paths that were saved since the preview}."""


@dataclass(frozen=True)
class ProposalPartLine:
    """The effect on one trader. `contested` are the paths among `rows` that were saved since the preview."""

    page: ConfigPage
    current: StoredConfig
    rows: list[ChangeLine]
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
        "positions": page.positions_beyond({part.config_id: part.changes for part in parts}),
        **_rounded(proposal),
        "refused": bool(proposal.problems),
        "pinned_words": pinned_words([part.config_id for part in parts if waits_for_unpin(part.changes)]),
        "seen": jsonio.dumps(proposal.seen),
    }


class FleetProposalFlow(PreviewFlow):
    """A change of many traders in one change set. A subclass adds the form, its pages, `save` and `words_of`."""

    stale_errors: ClassVar[tuple[type[Exception], ...]] = (ChangedMeanwhile,)
    not_carried = (*PreviewFlow.not_carried, SEEN, LEAVE)
    warns_of_pins = True

    def __init__(self, page: ConfigPage, trader_ids: Sequence[str] = ()) -> None:
        super().__init__(page)
        self.trader_ids = trader_ids

    @abstractmethod
    def words_of(self, count: int) -> str:
        """The message after the save, with `%(n)d` for the number of traders."""

    @abstractmethod
    def preview_page(self, *, contested: Contested | None = None) -> HttpResponse:
        """The effect on each trader; `contested` are traders that somebody changed meanwhile."""

    def stale_page(self, stale: Any) -> HttpResponse:
        """The preview again; it marks paths that somebody saved meanwhile."""
        return self.preview_page(contested=stale.contested)

    def saved(self, result: list[SavedVersion]) -> HttpResponse:
        """Leads to the new change set."""
        if not result:
            messages.info(self.request, _("Nothing differs: no version was made."))
            return HttpResponseRedirect(list_url(self.page))
        log_change_set(self.page, result, self.reason)
        said = self.words_of(len(result)) % {"n": len(result)}
        say_saved(self.request, said, result, warns_of_pins=self.warns_of_pins, is_shown=True)
        opened = reverse("admin:traders_changeset", args=[result[0].change_set])
        asked = list_filter(self.page)
        return HttpResponseRedirect(f"{opened}?{urlencode({LIST: asked})}" if asked else opened)


def _rounded(proposal: FleetProposal) -> dict[str, Any]:
    """The roundings in words, and how many traders have ones that are not shown."""
    shown = proposal.roundings[:ROUNDINGS_SHOWN]
    return {
        "roundings": [rounding_words(rounding, count) for rounding, count in shown],
        "more_roundings": len(proposal.roundings) - len(shown),
    }


def rounding_words(rounding: Rounding, count: int) -> str:
    """`Risk - max positions: 3 → 1.5, stored as 1: rounded toward less risk, 4 traders`."""
    setting = TRADER_SETTINGS.get(rounding.path)
    text = ngettext(
        "%(setting)s: %(old)s → %(exact)s, stored as %(stored)s: %(why)s, %(n)s trader",
        "%(setting)s: %(old)s → %(exact)s, stored as %(stored)s: %(why)s, %(n)s traders",
        count,
    )
    return text % {
        "setting": words.place(TRADER_SETTINGS, rounding.path),
        "old": words.value(setting, rounding.old),
        "exact": words.number(rounding.exact),
        "stored": words.value(setting, rounding.stored),
        "why": _(rounding.why.value),
        "n": words.number(count),
    }


def _urgency(part: ProposalPart, contested: Contested) -> tuple[bool, bool, bool, str]:
    name = part.config_id
    return name not in contested, not part.problems, not part.riskier, name


def _shown(
    page: ConfigPage, part: ProposalPart, current: StoredConfig, texts: Mapping[str, str], contested: Contested
) -> ProposalPartLine:
    name = part.config_id
    return ProposalPartLine(
        page=ConfigPage(page.admin, page.request, name),
        current=current,
        rows=rows(name, part.changes, texts=texts),
        problems=part.problems,
        contested=frozenset(contested.get(name, ())),
    )
