"""Pages that clone, retire and unretire traders."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.controls.pages.presentation import PreviewShown
from traders.controls.preview import MovedMeanwhile, preview
from traders.pages.admin_log import log_version
from traders.pages.config_page import ConfigPage
from traders.pages.preview_flow import SAVE, PreviewFlow
from traders.pages.saved import say_saved
from traders.schema.controls.rows import ControlKind
from traders.schema.problems import InvalidConfig
from traders.schema.settings.stored import SavedVersion, StoredConfig
from traders.templatetags.display import pct
from traders.versions import services as configs
from traders.versions.bulk.chosen import chosen_ids, list_url, nobody_chosen, seen_versions
from traders.versions.bulk.proposal import ChangedMeanwhile, FleetProposal
from traders.versions.bulk.proposal_page import Contested, FleetProposalFlow, preview_of
from traders.versions.lifecycle import services as lifecycle
from traders.versions.lifecycle.forms import CloneForm, RetireForm, VariantForm
from traders.versions.rules.errors import UnknownConfig, UnknownVersion


def retire_view(page: ConfigPage, *, retired: bool) -> HttpResponse:
    """The traders of `chosen.chosen_ids` retired or unretired."""
    trader_ids = chosen_ids(page)
    return RetireFlow(page, trader_ids, retired=retired).answer() if trader_ids else nobody_chosen(page)


retiring_view = partial(retire_view, retired=True)
unretire_view = partial(retire_view, retired=False)


class RetireFlow(FleetProposalFlow):
    """The preview and the reason are on one page; steps: preview (again without traders), save. To retire traders that
    hold positions it asks what becomes of them."""

    stale_errors = (*FleetProposalFlow.stale_errors, MovedMeanwhile)
    warns_of_pins = False  # a retirement holds whatever is pinned

    def __init__(self, page: ConfigPage, trader_ids: Sequence[str], *, retired: bool) -> None:
        super().__init__(page, trader_ids)
        self.retired = retired
        self.holding = lifecycle.holding(trader_ids) if retired else []

    def make_form(self, data: QueryDict | None) -> RetireForm:
        return RetireForm(data if self.step == SAVE else None, asks=bool(self.holding))

    def is_valid(self) -> bool:
        """A preview needs no reason."""
        return self.step != SAVE or super().is_valid()

    def save(self) -> list[SavedVersion]:
        given: dict[str, Any] = {
            "trader_ids": self.trader_ids,
            "seen": seen_versions(self.page),
            "reason": self.reason,
            "actor": self.page.actor,
        }
        if self.form.closes:
            positions = self.request.POST.get("positions", "")
            return lifecycle.close_and_retire(positions=positions, **given)
        return lifecycle.set_retired(retired=self.retired, **given)

    def words_of(self, count: int) -> str:
        if self.retired:
            return ngettext("Retired %(n)d trader.", "Retired %(n)d traders.", count)
        return ngettext("Unretired %(n)d trader.", "Unretired %(n)d traders.", count)

    def refused_page(self, invalid: InvalidConfig) -> HttpResponse:
        """The preview shows the problems of the traders itself."""
        self.form.add_problems(problem for problem in invalid.problems if problem.path == "reason")
        return self.form_page()

    def unknown_page(self, unknown: UnknownConfig) -> HttpResponse:
        messages.warning(self.request, _("There is no trader “%(id)s”.") % {"id": unknown.config_id})
        return HttpResponseRedirect(list_url(self.page))

    def form_page(self) -> HttpResponse:
        return self.preview_page()

    def stale_page(self, stale: Any) -> HttpResponse:
        """Also for positions that were opened or closed since the preview: it shows those of now."""
        if isinstance(stale, ChangedMeanwhile):
            return super().stale_page(stale)
        return self.preview_page(moved=True)

    def preview_page(self, *, contested: Contested | None = None, moved: bool = False) -> HttpResponse:
        try:
            proposal = lifecycle.propose_retirement(trader_ids=self.trader_ids, retired=self.retired)
        except UnknownConfig as unknown:
            return self.unknown_page(unknown)
        return self.page.render(
            "retire.html",
            _("Retire") if self.retired else _("Unretire"),
            **preview_of(self.page, proposal, contested),
            back_url=list_url(self.page),
            retired=self.retired,
            says=_in_numbers(proposal, retired=self.retired),
            chosen=" ".join(self.trader_ids),
            chosen_count=len(self.trader_ids),
            form=self.form,
            moved=moved,
            held=self._held(),
            positions_seen=lifecycle.positions_seen(self.trader_ids) if self.holding else "",
        )

    def _held(self) -> PreviewShown | None:
        """What the traders hold, in the words of a drain."""
        return PreviewShown(preview(ControlKind.DRAIN, self.holding)) if self.holding else None


def _in_numbers(proposal: FleetProposal, *, retired: bool) -> str:
    """`Retires 3 traders, frees 25 % allocation`."""
    count, moved = len(proposal.parts), proposal.after.free_pct - proposal.before.free_pct
    if retired:
        who = ngettext("Retires %(n)d trader", "Retires %(n)d traders", count)
        return (who + _(", frees %(pct)s %% allocation")) % {"n": count, "pct": pct(moved)}
    who = ngettext("Unretires %(n)d trader", "Unretires %(n)d traders", count)
    return (who + _(", takes %(pct)s %% allocation")) % {"n": count, "pct": pct(Decimal(0) - moved)}


def clone_view(page: ConfigPage) -> HttpResponse:
    """`?version=`, the latest without: its settings under a new id."""
    return _cloning(page, CloneFlow)


def variant_view(page: ConfigPage) -> HttpResponse:
    """As `clone_view`: on paper, with capital of its own."""
    return _cloning(page, VariantFlow)


def _cloning(page: ConfigPage, flow: type[CloneFlow]) -> HttpResponse:
    current = configs.stored(page.config_id)
    if current is None:
        return page.gone()
    try:
        source = configs.version(page.config_id, _version(page, current.version))
    except (ValueError, UnknownVersion):
        messages.warning(page.request, _("There is no such version: choose one of these."))
        return HttpResponseRedirect(page.history_url)
    return flow(page, current, source).answer()


class CloneFlow(PreviewFlow):
    """The form shows the whole clone, so there is no preview."""

    first_step = SAVE
    is_variant = False

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
        said = _("Made %(id)s, version 1.") % {"id": made.config_id}
        say_saved(self.request, said, [result], warns_of_pins=False)
        return HttpResponseRedirect(made.overview_url)

    def form_page(self) -> HttpResponse:
        return self.page.render(
            *("clone.html", self.page.name(self.current)),
            tab="clone",
            form=self.form,
            source=self.source,
            current=self.current,
            is_variant=self.is_variant,
        )


class VariantFlow(CloneFlow):
    """A clone that trades on paper beside the trader that it came from."""

    is_variant = True

    def make_form(self, data: QueryDict | None) -> VariantForm:
        name = _("%(name)s (variant)") % {"name": self.page.name(self.source)}
        return VariantForm(
            data,
            display_name=name,
            exchanges=lifecycle.paper_exchanges(),
            capital_usd=lifecycle.capital_offered(self.source),
        )

    def save(self) -> SavedVersion:
        return lifecycle.paper_variant(
            trader_id=self.page.config_id,
            version=self.source.version,
            actor=self.page.actor,
            **self.form.cleaned_data,
        )


def _version(page: ConfigPage, latest: int) -> int:
    """Raises ValueError for a text that is not a possible version number."""
    number = int(page.request.GET.get("version") or latest)
    if not 0 < number < 2**31:
        raise ValueError(number)
    return number
