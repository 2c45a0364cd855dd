"""The page that restores an older version: preview, reason, save."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _

from traders.pages.admin_log import log_version
from traders.pages.changes import ChangeLine, digests_in, rows
from traders.pages.config_page import ConfigPage
from traders.pages.preview_flow import SAVE, PreviewFlow
from traders.pages.reason_form import ReasonForm
from traders.pages.saved import say_saved
from traders.pages.versions import prompt_bodies
from traders.schema.paths import diff
from traders.schema.problems import InvalidConfig
from traders.schema.settings.stored import SavedVersion, StoredConfig
from traders.versions import services as configs
from traders.versions.edit.forms.config import VERSION
from traders.versions.edit.stale import NewerVersions
from traders.versions.restore import services as restore
from traders.versions.rules.errors import StaleEdit, UnknownVersion
from traders.versions.rules.merge import unit_of
from traders.versions.rules.proposal import Proposal
from traders.words import messages as words

BEGAN = "began"
KEEP = "keep"


def restore_view(page: ConfigPage, current: StoredConfig, number: int) -> HttpResponse:
    try:
        old = configs.version(page.config_id, number)
    except UnknownVersion:
        messages.warning(page.request, _("There is no version %(n)d: choose one of these.") % {"n": number})
        return HttpResponseRedirect(page.history_url)
    return RestoreFlow(page, current, old).answer()


class RestoreFlow(PreviewFlow):
    """The preview and the reason are one page."""

    first_step = SAVE

    def __init__(self, page: ConfigPage, current: StoredConfig, old: StoredConfig) -> None:
        super().__init__(page)
        self.current, self.old = current, old

    def make_form(self, data: QueryDict | None) -> ReasonForm:
        return ReasonForm(data)

    def save(self) -> SavedVersion | None:
        return restore.restore(
            config_id=self.page.config_id,
            version=self.old.version,
            expected_version=self.posted_version(VERSION),
            reason=self.reason,
            actor=self.page.actor,
            keep=self.request.POST.getlist(KEEP),
            may_change_fleet=self.page.is_fleet and self.page.may_change_fleet,
        )

    def saved(self, result: SavedVersion | None) -> HttpResponse:
        if result is None:
            messages.info(self.request, _("Nothing differs: no version was made."))
        else:
            log_version(self.page, result, self.reason)
            said = _("Restored version %(old)d as version %(new)d.")
            say_saved(self.request, said % {"old": self.old.version, "new": result.version}, [result])
        return HttpResponseRedirect(self.page.history_url)

    def stale_page(self, stale: StaleEdit) -> HttpResponse:
        self.current = stale.theirs
        return self.form_page()

    def form_page(self) -> HttpResponse:
        page, current, old = self.page, self.current, self.old
        refused, proposal, shown = [], None, []
        began = self._began()
        try:
            proposal = restore.propose_restore(
                config_id=page.config_id, version=old.version, expected_version=current.version
            )
            shown = rows(page.config_id, proposal.changes, texts=prompt_bodies(digests_in(proposal.changes)))
        except InvalidConfig as invalid:
            refused = [words.line(problem) for problem in invalid.problems]
        return page.render(
            "restore.html",
            page.name(current),
            tab="history",
            old=old,
            current=current,
            began=began,
            form=self.form,
            rows=shown,
            raised=[row for row in shown if row.risk == "raises"],
            proposal=proposal,
            positions=page.positions_beyond({page.config_id: proposal.changes}) if proposal else [],
            refused=refused,
            meanwhile=_meanwhile(page, began, current),
            undone=_undone_by_restore(page, began, current, old),
            kept=self.request.POST.getlist(KEEP),
            stays_retired=_stays_retired(proposal, old),
        )

    def _began(self) -> StoredConfig:
        """The version that the first preview began from."""
        if not self.is_posted:
            return self.current
        number = self.posted_version(BEGAN if BEGAN in self.request.POST else VERSION)
        if number == self.current.version:
            return self.current
        try:
            return configs.version(self.page.config_id, number)
        except UnknownVersion:
            raise BadRequest(f"{BEGAN} must be a version") from None


def _meanwhile(page: ConfigPage, began: StoredConfig, current: StoredConfig) -> NewerVersions | None:
    saved = current.version - began.version
    return NewerVersions(current, saved, rows(page.config_id, diff(began.flat, current.flat)), 0, 0) if saved else None


def _undone_by_restore(
    page: ConfigPage, began: StoredConfig, current: StoredConfig, old: StoredConfig
) -> list[ChangeLine]:
    """The settings that somebody changed since the first preview and that the restore would undo; each may be kept.

    The paths of a prompt are kept together and stand as the first path that differs.
    """
    moved = {path for change in diff(began.flat, current.flat) for path in unit_of(change.path)}
    back = {unit_of(change.path): change for change in reversed(diff(current.flat, old.flat)) if change.path in moved}
    return rows(page.config_id, reversed(back.values()))


def _stays_retired(proposal: Proposal | None, old: StoredConfig) -> bool:
    """The old version was in the fleet and the trader is retired by now: the restore leaves it retired."""
    spec: Any = proposal.spec if proposal else None
    return bool(spec and getattr(spec.detail, "retired", False) and not getattr(old.spec.detail, "retired", True))
