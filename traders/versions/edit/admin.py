"""The steps of editing and adding one configuration: form, preview, stale edit, save."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _

from traders.models import SyncConflict
from traders.pages.changes import digests_in, rows
from traders.pages.config_page import ConfigPage
from traders.pages.preview_flow import PreviewFlow
from traders.pages.saved import say_saved
from traders.pages.versions import prompt_bodies
from traders.schema.paths import Flat
from traders.schema.problems import InvalidConfig
from traders.schema.settings.stored import SavedVersion, StoredConfig
from traders.schema.settings.validate import require_trader_id
from traders.versions import services as configs
from traders.versions.edit import services as edit
from traders.versions.edit.forms.config import NEW_ID, REASON, VERSION, ConfigForm, defaults
from traders.versions.edit.names import choices
from traders.versions.edit.rules import Choices
from traders.versions.edit.stale import (
    TAKE,
    THEIRS_VERSION,
    NewerVersions,
    choices_of,
    comparison,
    meanwhile,
    on_theirs,
    reopened,
    stale_page,
)
from traders.versions.reason import required_reason
from traders.versions.rules.errors import AlreadyExists, StaleEdit, UnknownConfig, UnknownVersion
from traders.versions.rules.proposal import Proposal

REBASE = "rebase"


class UnchangedSave(Exception):
    """A save that would make no version."""


class EditForm(ConfigForm):
    """Valid where the whole configuration could be saved."""

    def __init__(self, *args: Any, flow: EditFlow, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.flow = flow
        flow.form = self

    def is_valid(self) -> bool:
        """Raises InvalidConfig, StaleEdit, UnknownConfig and AlreadyExists."""
        return self.flow.is_valid()


class EditFlow(PreviewFlow):
    """One configuration. Steps: preview, back, rebase (choices on both sides of a stale edit), save.

    The admin shows the form and saves; this adds the steps between. `current` is None for a trader to be added, and
    for fleet settings that are not there yet.

    `base` is the version that the form was opened on, `merged` says what was saved since where the form was brought on
    top of it.
    """

    not_carried = (*PreviewFlow.not_carried, THEIRS_VERSION)

    def __init__(self, page: ConfigPage, current: StoredConfig | None) -> None:
        super().__init__(page)
        self.current = current
        self.base = _base(page, current) if self.is_posted else current
        self.merged: NewerVersions | None = None
        self.proposal: Proposal | None = None
        self.result: Any = None

    @property
    def config_id(self) -> str:
        return self.page.config_id or str(self.form.data.get(NEW_ID, "")).strip()

    @property
    def version(self) -> int:
        return self.base.version if self.base else 0

    def answer(self) -> HttpResponse:
        if not self.is_posted or self.step != REBASE:
            return super().answer()
        if kept := self.kept():
            return kept
        self.form = self.make_form(self.request.POST)
        return self._merge(reopened(self.page, self.form, self.base), choices_of(self.page))

    def make_form(self, data: QueryDict | None) -> ConfigForm:
        return self.form_class()(data)

    def form_class(self) -> Callable[..., EditForm]:
        """Makes the form of this configuration's settings."""
        flat: Flat = self.base.flat if self.base else defaults(self.page.settings)
        return partial(
            EditForm,
            flow=self,
            settings=self.page.settings,
            base=flat,
            known=choices(),
            adding=not self.page.config_id,
        )

    def is_valid(self) -> bool:
        """Whether the whole would be a configuration. A missing reason does not hide the other problems."""
        if not self.page.config_id and self.config_id:
            require_trader_id(self.config_id)
        if not set(self.form.errors) <= {REASON}:
            self._look_further()
            return False
        if self.saves and self.merged is None and not self.form.errors:
            return True  # the save validates, under the lock
        self.proposal = self._propose()
        if not self.form.errors:
            required_reason(self.reason)
        return not self.form.errors

    def _look_further(self) -> None:
        """A field that cannot be read does not hide what is wrong in the others."""
        try:
            self._propose()
        except InvalidConfig as invalid:
            self.form.add_further_problems(invalid.problems)
        except (StaleEdit, UnknownConfig, AlreadyExists):
            pass  # asked again once the form can be read

    def save(self) -> SavedVersion:
        """Raises UnchangedSave, and what the service raises."""
        saved = edit.save(
            config_id=self.config_id,
            flat=self.form.flat(),
            expected_version=self.version,
            reason=self.reason,
            actor=self.page.actor,
            may_change_fleet=self.page.is_fleet and self.page.may_change_fleet,
            # A fault here leaves the transaction of the admin's view, which then shows a page of this flow.
            savepoint=False,
        )
        if not saved:
            raise UnchangedSave
        self.result = saved
        return saved

    def _propose(self) -> Proposal:
        return edit.propose(config_id=self.config_id, flat=self.form.flat(), expected_version=self.version)

    def saved(self, result: SavedVersion) -> HttpResponse:
        say_saved(self.request, _("Saved version %(version)d.") % {"version": result.version}, [result])
        page = ConfigPage(self.page.admin, self.request, self.config_id)
        return HttpResponseRedirect(page.history_url)

    def answered(self, take_step: Callable[[], HttpResponse]) -> HttpResponse:
        try:
            return super().answered(take_step)
        except UnchangedSave:
            return self.saved_before() or self.preview_page()

    def taken_page(self, taken: AlreadyExists) -> HttpResponse:
        self.form.add_error(NEW_ID, _("The trader %(id)s exists already.") % {"id": taken.existing})
        return self.form_page()

    def stale_page(self, stale: StaleEdit) -> HttpResponse:
        return self._merge(stale)

    def _merge(self, stale: StaleEdit, chosen: Choices | None = None) -> HttpResponse:
        """Leads to the preview of the merged whole; if both sides changed a setting, its choice comes first.

        `chosen` counts only for the two sides that were shown with it: after another save the page asks again.
        """
        sides = comparison(stale)
        if sides.undecided(chosen or {}):
            return stale_page(self.page, stale, sides, choices=chosen, carried=self._carried_form())
        self.form = on_theirs(self.page, self.form, stale, sides.merged(chosen or {}))
        self.current = self.base = stale.theirs
        self.merged = meanwhile(self.page, stale, sides)
        try:
            return self.preview_page() if self.is_valid() else self.form_page()
        except InvalidConfig as invalid:
            return self.refused_page(invalid)
        except StaleEdit as again:
            return self._merge(again)

    def _carried_form(self) -> list[tuple[str, str]]:
        """The values of the form: after a merge they are more than the posted ones."""
        left_out = self.not_carried
        data: Any = self.form.data
        return [
            (name, value)
            for name, values in data.lists()
            if name not in left_out and not name.startswith(TAKE)
            for value in values
        ]

    def form_page(self, **context: Any) -> HttpResponse:
        """`context` are the values that the admin adds."""
        page, form, base = self.page, self.form, self.base
        if form.is_bound and form.errors:
            form.focus_first_wrong()
        return page.render(
            "edit.html",
            page.name(self.current),
            tab="edit",
            form=form,
            parts=form.parts(),
            version=self.version,
            current=self.current,
            open_conflicts=SyncConflict.objects.filter(config_id=page.config_id).count(),
            cloned_from=base.flat.get("detail.cloned_from") if base else None,
            prompts_missing=not form.known.prompts and not page.is_fleet,
            merged=self.merged,
            **context,
        )

    def preview_page(self) -> HttpResponse:
        proposal = self.proposal or self._propose()
        texts = prompt_bodies(digests_in(proposal.changes))
        shown = rows(self.page.config_id, proposal.changes, texts=texts)
        return self.page.render(
            "preview.html",
            self.page.name(proposal.current),
            tab="edit",
            rows=shown,
            proposal=proposal,
            raised=[row for row in shown if row.risk == "raises"],
            reason=self.reason,
            carried=self._carried_form(),
            merged=self.merged,
            positions=self.page.positions_beyond({self.page.config_id: proposal.changes}),
            **self.preview_context(proposal),
        )

    def preview_context(self, proposal: Proposal) -> dict[str, Any]:
        """What a subclass adds to the preview."""
        return {}


def opened_on(request: HttpRequest, config_id: str) -> StoredConfig | None:
    """The version that a posted form was opened on; None where the form names none that exists."""
    try:
        return configs.version(config_id, int(request.POST.get(VERSION, "")))
    except (ValueError, UnknownVersion):
        return None


def _base(page: ConfigPage, current: StoredConfig | None) -> StoredConfig | None:
    """The version that the form was opened on."""
    named = page.request.POST.get(VERSION, "").strip()
    if current is not None and named == str(current.version):
        return current
    if (base := opened_on(page.request, page.config_id)) is None and not (_may_be_new(page) and _is_zero(named)):
        raise BadRequest(f"{VERSION} must be a version of {page.config_id!r}")
    return base


def _is_zero(named: str) -> bool:
    return named.isdecimal() and not int(named)


def _may_be_new(page: ConfigPage) -> bool:
    return page.is_fleet or not page.config_id
