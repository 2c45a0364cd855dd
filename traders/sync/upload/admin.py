"""The page that uploads a manager.yaml or a bundle: plan, sync and report."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext as _

from traders.drafts import pages as drafts
from traders.manager_yaml.file import PRINTED_PROBLEMS, InvalidFile, ManagerFile
from traders.manager_yaml.located import located
from traders.pages.config_page import ConfigPage
from traders.pages.preview_flow import PreviewFlow
from traders.schema.messages import verbatim
from traders.schema.problems import InvalidConfig, Problem
from traders.sync.pages import report_of
from traders.sync.rules import SyncReport
from traders.sync.services import PlanChanged, sync
from traders.sync.upload import store as upload_store
from traders.sync.upload.forms import OptionsForm, UploadForm
from traders.sync.upload.services import Upload, read_upload
from traders.versions.rules.allocation import RETIRE_OPTION
from traders.versions.rules.errors import FleetNotAllowed
from traders.words import messages as words

TOKEN, PLAN = "token", "plan"
PLAN_STEP, APPLY_STEP = "plan", "apply"


def upload_view(page: ConfigPage) -> HttpResponse:
    try:
        return UploadFlow(page).answer()
    except upload_store.StoreUnavailable:
        answer = _choose_page(page, UploadForm(), refused=[_not_kept()])
        answer.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return answer


class UploadFlow(PreviewFlow):
    """A person chooses a file, sees its plan, may plan again with other options, and applies it.

    Between the steps the file is kept under a token. Steps: plan, apply; a posted file is always planned.
    """

    stale_errors = (PlanChanged,)
    keeps_drafts = False  # a file is no form: it is kept under a token of its own
    preview_step, save_step, first_step = PLAN_STEP, APPLY_STEP, PLAN_STEP

    def __init__(self, page: ConfigPage) -> None:
        super().__init__(page)
        self.token = self.request.POST.get(TOKEN, "")
        self.is_choosing = not self.token or bool(self.request.FILES)
        if self.is_choosing:
            self.token = ""
        self.upload = None if self.is_choosing else upload_store.kept(page, self.token)

    @property
    def step(self) -> str:
        return PLAN_STEP if self.is_choosing else super().step

    def answer(self) -> HttpResponse:
        if self.is_posted and not self.is_choosing and self.upload is None:
            return _choose_page(self.page, UploadForm(), refused=[_("The file is not kept any more: choose it again.")])
        return super().answer()

    def make_form(self, data: QueryDict | None) -> OptionsForm:
        if self.is_choosing:
            return UploadForm(data, self.request.FILES if data is not None else None)
        return OptionsForm(data, needs_reason=self.step == APPLY_STEP)

    def is_valid(self) -> bool:
        if self.step == APPLY_STEP and not self.request.POST.get(PLAN):
            raise BadRequest("the plan is missing")
        valid = super().is_valid()
        if self.is_choosing and valid:
            file = self.form.cleaned_data["file"]
            self.upload = Upload(file.name, file.read())
        # Other options of a plan are tried as they are; only applying asks for a reason.
        return valid or (not self.is_choosing and self.step == PLAN_STEP)

    def form_page(self) -> HttpResponse:
        return _choose_page(self.page, self.form) if self.is_choosing else self._plan_page(self._report(check=True))

    def preview_page(self) -> HttpResponse:
        """The plan of a sync. A file that can be read is kept, so that other options can be tried on it."""
        upload: Any = self.upload
        file = read_upload(upload)
        self.token = self.token or upload_store.keep(self.page, upload)
        report = _synced(self.page, file, self.form, check=True)
        self.form = _again(self.form)
        return self._plan_page(report)

    def save(self) -> SyncReport:
        return self._report(as_planned=self.request.POST[PLAN])

    def saved(self, result: SyncReport) -> HttpResponse:
        """The change log has the sync, so the admin's own log has no entry."""
        upload: Any = self.upload
        upload_store.forget(self.page, self.token)
        title = _("Synced %(name)s") % {"name": upload.name}
        return drafts.ended(self.request, self.page.render("uploaded.html", title, **report_of(result)))

    def stale_page(self, stale: PlanChanged) -> HttpResponse:
        notice = _("The fleet or its files changed since the plan was made. Nothing was written; this is the plan now.")
        return self._plan_page(stale.report, notice)

    def refused_page(self, invalid: InvalidConfig) -> HttpResponse:
        """The plan shows a refused reason; problems of the file lead to the choice of a file."""
        if any(problem.path == "reason" for problem in invalid.problems):
            self.form.add_problems(invalid.problems)
            return self._plan_page(self._report(check=True))
        upload: Any = self.upload
        return _refused_page(self.page, self.form, upload, invalid, self.token)

    def _report(self, **how: Any) -> SyncReport:
        upload: Any = self.upload
        return _synced(self.page, read_upload(upload), self.form, **how)

    def _plan_page(self, report: SyncReport, notice: str = "") -> HttpResponse:
        upload: Any = self.upload
        return self.page.render(
            "upload_plan.html",
            _("Plan of %(name)s") % {"name": upload.name},
            form=self.form,
            token=self.token,
            plan=report.fingerprint,
            notice=notice,
            positions=self.page.positions_beyond({one.config_id: one.changes for one in report.outcomes}),
            **report_of(report),
        )


def _synced(page: ConfigPage, file: ManagerFile, form: OptionsForm, **how: Any) -> SyncReport:
    """Problems of the fleet name their place in the file; problems of the reason stay as they are."""
    reason = "" if how.get("check") else form.cleaned_data["reason"]
    try:
        return sync(
            file=file,
            actor=page.actor,
            reason=reason,
            prefer=form.preferences,
            retire_missing=form.cleaned_data.get("retire_missing", False),
            may_change_fleet=page.may_change_fleet,
            **how,
        )
    except FleetNotAllowed:
        message = _("changes the fleet's settings, which your account may not change: ask an administrator to sync it")
        raise InvalidFile(file.path, [Problem("", verbatim(message))]) from None
    except InvalidConfig as error:
        if any(problem.path == "reason" for problem in error.problems):
            raise
        raise located(file, error) from error


def _again(form: OptionsForm) -> OptionsForm:
    """The options as they were sent, without asking for a reason yet."""
    fresh = OptionsForm()
    fresh.initial = {name: form.cleaned_data.get(name) for name in ("reason", "prefer", "retire_missing")}
    return fresh


def _not_kept() -> str:
    return _(
        "Redis keeps the file between the plan and the sync, and it does not answer or accepts no writes. Try again "
        "later, or run manage.py sync_traders on the server."
    )


def _choose_page(page: ConfigPage, form: UploadForm, **context: Any) -> HttpResponse:
    return page.render("upload.html", _("Upload manager.yaml"), form=form, **context)


def _refused_page(
    page: ConfigPage, form: OptionsForm, upload: Upload, error: InvalidConfig, token: str = ""
) -> HttpResponse:
    """Shows every problem with its line, and offers another file or, if this one was kept, other options."""
    found = error.lines() if isinstance(error, InvalidFile) else [words.line(problem) for problem in error.problems]
    fresh = UploadForm()
    by_hand = _("“%(option)s”, below") % {"option": fresh.fields["retire_missing"].label}
    lines = [words.translated(line).replace(RETIRE_OPTION, by_hand) for line in found]
    fresh.initial = _again(form).initial
    return _choose_page(page, fresh, refused=lines[: PRINTED_PROBLEMS + 1], name=upload.name, token=token)
