"""Bulk edit: the same operations on many traders, previewed for each, saved as one change set."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.pages.config_page import ConfigPage
from traders.pages.preview_flow import PREVIEW, SAVE
from traders.schema.problems import InvalidConfig
from traders.schema.settings.stored import SavedVersion
from traders.versions import services as configs
from traders.versions.bulk import services as bulk
from traders.versions.bulk.chosen import CHOSEN, chosen_ids, list_url, nobody_chosen, seen_versions
from traders.versions.bulk.forms import ADD, BulkForm, setting_groups
from traders.versions.bulk.proposal import FleetProposal
from traders.versions.bulk.proposal_page import Contested, FleetProposalFlow, preview_of
from traders.versions.edit.names import choices
from traders.versions.reason import required_reason

NAMED = 12


def bulk_view(page: ConfigPage) -> HttpResponse:
    trader_ids = chosen_ids(page)
    return BulkFlow(page, trader_ids).answer() if trader_ids else nobody_chosen(page)


class BulkFlow(FleetProposalFlow):
    """Opened with the traders of `chosen.chosen_ids`; steps: add, remove-N, preview, back, save."""

    not_carried = (*FleetProposalFlow.not_carried, ADD, CHOSEN)
    first_step = ""
    is_save_refused = False

    def make_form(self, data: QueryDict | None) -> BulkForm:
        posted: QueryDict = self.request.POST
        step = self.step
        if step.startswith("remove-"):
            posted = _without(posted, step.removeprefix("remove-"))
        add = posted.get(ADD, "") if step == "add" else ""
        return BulkForm(posted, known=choices(), is_asked=step in (PREVIEW, SAVE), add=add)

    def is_valid(self) -> bool:
        """The values are checked with one of the traders, so that a mistake is shown once, at its field."""
        form: BulkForm = self.form
        is_read = form.is_valid()
        # A value that cannot be read does not hide what is wrong in the others.
        if form.is_bound and form.operations:
            sample = configs.existing_trader(self.trader_ids[0])
            form.add_problems(bulk.value_problems(operations=form.operations, sample=sample))
        if is_read:
            required_reason(form.cleaned_data.get("reason", ""))
        return form.is_valid()

    def save(self) -> list[SavedVersion]:
        try:
            return bulk.save_bulk(
                trader_ids=self.trader_ids,
                operations=self.form.operations,
                seen=seen_versions(self.page),
                reason=self.reason,
                actor=self.page.actor,
            )
        except InvalidConfig:
            self.is_save_refused = True
            raise

    def words_of(self, count: int) -> str:
        return ngettext("Changed %(n)d trader in one change set.", "Changed %(n)d traders in one change set.", count)

    def refused_page(self, invalid: InvalidConfig) -> HttpResponse:
        """The form shows a mistake. A refused save shows the problems of each trader."""
        if self.is_save_refused:
            return self.preview_page(propose=bulk.propose_one_by_one)
        return super().refused_page(invalid)

    def preview_page(
        self, *, contested: Contested | None = None, propose: Callable[..., FleetProposal] = bulk.propose_bulk
    ) -> HttpResponse:
        """Raises InvalidConfig for names that nothing defines."""
        proposal = propose(trader_ids=self.trader_ids, operations=self.form.operations)
        return self.page.render(
            "bulk_preview.html",
            _("Bulk edit"),
            **preview_of(self.page, proposal, contested),
            chosen=" ".join(self.trader_ids),
            chosen_count=len(self.trader_ids),
            back_url=list_url(self.page),
            form=self.form,
            reason=self.reason,
            carried=self.carried(),
        )

    def form_page(self) -> HttpResponse:
        return self.page.render(
            "bulk.html",
            _("Bulk edit"),
            form=self.form,
            chosen=" ".join(self.trader_ids),
            chosen_count=len(self.trader_ids),
            back_url=list_url(self.page),
            named=self.trader_ids[:NAMED],
            unnamed=max(0, len(self.trader_ids) - NAMED),
            groups=setting_groups(),
            known_models=choices().models,
        )


def _without(posted: QueryDict, number: str) -> QueryDict:
    """The posted data without one operation."""
    data = posted.copy()
    for part in ("path", "do", "value"):
        data.pop(f"op-{number}-{part}", None)
    return data
