"""Pages that clone, retire and bring back traders."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.pages.admin_log import log_version
from traders.pages.config_page import ConfigPage
from traders.pages.preview_flow import SAVE, PreviewFlow
from traders.pages.reason_form import ReasonForm
from traders.schema.problems import InvalidConfig
from traders.schema.settings.stored import SavedVersion, StoredConfig
from traders.templatetags.desk import pct
from traders.versions import services as configs
from traders.versions.bulk.chosen import chosen_ids, nobody_chosen, seen_versions
from traders.versions.bulk.many import FleetProposal
from traders.versions.bulk.many_page import Contested, ManyFlow, preview_of
from traders.versions.lifecycle import services as lifecycle
from traders.versions.lifecycle.forms import CloneForm
from traders.versions.rules.errors import UnknownConfig, UnknownVersion


def retire_view(page: ConfigPage, *, retired: bool) -> HttpResponse:
    """The traders of `chosen.chosen_ids` retired, or brought back."""
    trader_ids = chosen_ids(page)
    return RetireFlow(page, trader_ids, retired=retired).answer() if trader_ids else nobody_chosen(page)


retiring_view = partial(retire_view, retired=True)
bringing_back_view = partial(retire_view, retired=False)


class RetireFlow(ManyFlow):
    """The preview and the reason are one page; steps: preview (without those left out), save."""

    def __init__(self, page: ConfigPage, trader_ids: Sequence[str], *, retired: bool) -> None:
        super().__init__(page, trader_ids)
        self.retired = retired

    def make_form(self, data: QueryDict | None) -> ReasonForm:
        return ReasonForm(data if self.step == SAVE else None)

    def is_valid(self) -> bool:
        """Looking again asks for no reason."""
        return self.step != SAVE or super().is_valid()

    def save(self) -> list[SavedVersion]:
        return lifecycle.set_retired(
            trader_ids=self.trader_ids,
            retired=self.retired,
            seen=seen_versions(self.page),
            reason=self.reason,
            actor=self.page.actor,
        )

    def words_of(self, count: int) -> str:
        if self.retired:
            return ngettext("Retired %(n)d trader.", "Retired %(n)d traders.", count)
        return ngettext("Brought %(n)d trader back.", "Brought %(n)d traders back.", count)

    def refused_page(self, invalid: InvalidConfig) -> HttpResponse:
        """The preview shows the problems of the traders itself."""
        self.form.add_problems(problem for problem in invalid.problems if problem.path == "reason")
        return self.form_page()

    def unknown_page(self, unknown: UnknownConfig) -> HttpResponse:
        messages.warning(self.request, _("There is no trader “%(id)s”.") % {"id": unknown.config_id})
        return HttpResponseRedirect(self.page.list_url)

    def form_page(self) -> HttpResponse:
        return self.preview_page()

    def preview_page(self, *, contested: Contested | None = None) -> HttpResponse:
        try:
            proposal = lifecycle.propose_retirement(trader_ids=self.trader_ids, retired=self.retired)
        except UnknownConfig as unknown:
            return self.unknown_page(unknown)
        return self.page.render(
            "retire.html",
            _("Retire") if self.retired else _("Bring back"),
            **preview_of(self.page, proposal, contested),
            retired=self.retired,
            says=_in_numbers(proposal, retired=self.retired),
            chosen=" ".join(self.trader_ids),
            chosen_count=len(self.trader_ids),
            form=self.form,
        )


def _in_numbers(proposal: FleetProposal, *, retired: bool) -> str:
    """`Retires 3 traders, frees 25 % allocation`."""
    count, moved = len(proposal.parts), proposal.after.free_pct - proposal.before.free_pct
    if retired:
        who = ngettext("Retires %(n)d trader", "Retires %(n)d traders", count)
        return (who + _(", frees %(pct)s %% allocation")) % {"n": count, "pct": pct(moved)}
    who = ngettext("Brings %(n)d trader back", "Brings %(n)d traders back", count)
    return (who + _(", takes %(pct)s %% allocation")) % {"n": count, "pct": pct(Decimal(0) - moved)}


def clone_view(page: ConfigPage) -> HttpResponse:
    """`?version=`, the latest without: its settings under a new id."""
    current = configs.stored(page.config_id)
    if current is None:
        return page.gone()
    try:
        source = configs.version(page.config_id, _version(page, current.version))
    except (ValueError, UnknownVersion):
        messages.warning(page.request, _("There is no such version: choose one of these."))
        return HttpResponseRedirect(page.history_url)
    return CloneFlow(page, current, source).answer()


class CloneFlow(PreviewFlow):
    """The form says what the clone will be, so there is no preview."""

    first_step = SAVE

    def __init__(self, page: ConfigPage, current: StoredConfig, source: StoredConfig) -> None:
        super().__init__(page)
        self.current, self.source = current, source

    def make_form(self, data: QueryDict | None) -> CloneForm:
        name = _("%(name)s (copy)") % {"name": self.page.name(self.source)}
        return CloneForm(data, display_name=name)

    def save(self) -> SavedVersion:
        return lifecycle.clone(
            trader_id=self.page.config_id,
            version=self.source.version,
            actor=self.page.actor,
            **self.form.cleaned_data,
        )

    def saved(self, result: SavedVersion) -> HttpResponse:
        log_version(self.page, result, self.reason, added=True)
        made = ConfigPage(self.page.admin, self.request, result.config_id)
        messages.success(self.request, _("Made %(id)s, version 1.") % {"id": made.config_id})
        return HttpResponseRedirect(made.change_url)

    def form_page(self) -> HttpResponse:
        return self.page.render(
            *("clone.html", self.page.name(self.current)),
            tab="clone",
            form=self.form,
            source=self.source,
            current=self.current,
        )


def _version(page: ConfigPage, latest: int) -> int:
    """Raises ValueError for a text that is not a possible version number."""
    number = int(page.request.GET.get("version") or latest)
    if not 0 < number < 2**31:
        raise ValueError(number)
    return number
