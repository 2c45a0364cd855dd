"""The upload of a manager.yaml or a bundle: first the plan, then the sync and its report."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.utils.translation import gettext as _

from traders.manager_yaml.file import PRINTED_PROBLEMS, InvalidFile, ManagerFile
from traders.manager_yaml.located import located
from traders.pages.desk import Desk
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


def upload_view(desk: Desk) -> HttpResponse:
    """Steps: none (the file is chosen), plan (again, with other options), apply."""
    try:
        return _step(desk)
    except upload_store.StoreUnavailable:
        page = _choose_page(desk, UploadForm(), refused=[_not_kept()])
        page.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return page


def _step(desk: Desk) -> HttpResponse:
    if desk.request.method != "POST":
        return _choose_page(desk, UploadForm())
    token = desk.request.POST.get(TOKEN, "")
    if not token or desk.request.FILES:
        chosen = UploadForm(desk.request.POST, desk.request.FILES)
        if not chosen.is_valid():
            return _choose_page(desk, chosen)
        file = chosen.cleaned_data["file"]
        return _plan(desk, chosen, Upload(file.name, file.read()), "")
    upload = upload_store.kept(desk, token)
    if upload is None:
        return _choose_page(desk, UploadForm(), refused=[_("The file is not kept any more: choose it again.")])
    is_applying = desk.request.POST.get("step") == "apply"
    options = OptionsForm(desk.request.POST, needs_reason=is_applying)
    return _apply(desk, options, upload, token) if is_applying else _plan(desk, options, upload, token)


def _plan(desk: Desk, form: OptionsForm, upload: Upload, token: str) -> HttpResponse:
    """What a sync would do. A file that can be read is kept, so that other options can be tried on it."""
    form.is_valid()
    try:
        file = read_upload(upload)
    except InvalidConfig as error:
        return _refused_page(desk, form, upload, error)
    token = token or upload_store.keep(desk, upload)
    try:
        report = _synced(desk, file, form, check=True)
    except InvalidConfig as error:
        return _refused_page(desk, form, upload, error, token)
    return _plan_page(desk, _again(form), upload, token, report)


def _apply(desk: Desk, form: OptionsForm, upload: Upload, token: str) -> HttpResponse:
    planned = desk.request.POST.get(PLAN, "")
    if not planned:
        raise BadRequest("the plan is missing")
    try:
        file = read_upload(upload)
        if not form.is_valid():
            report = _synced(desk, file, form, check=True)
            return _plan_page(desk, form, upload, token, report)
        report = _synced(desk, file, form, as_planned=planned)
    except PlanChanged as changed:
        notice = _("The fleet or its files changed since the plan was made. Nothing was written; this is the plan now.")
        return _plan_page(desk, form, upload, token, changed.report, notice)
    except InvalidConfig as error:
        if any(problem.path == "reason" for problem in error.problems):
            form.add_problems(error.problems)
            return _plan_page(desk, form, upload, token, _synced(desk, file, form, check=True))
        return _refused_page(desk, form, upload, error, token)
    upload_store.forget(desk, token)
    return desk.render("uploaded.html", _("Synced %(name)s") % {"name": upload.name}, **report_of(report))


def _synced(desk: Desk, file: ManagerFile, form: OptionsForm, **how: Any) -> SyncReport:
    """Problems with the fleet are told at their place in the file, those of the reason as they are."""
    reason = "" if how.get("check") else form.cleaned_data["reason"]
    try:
        return sync(
            file=file,
            actor=desk.actor,
            reason=reason,
            prefer=form.preferences,
            retire_missing=form.cleaned_data.get("retire_missing", False),
            may_change_fleet=desk.may_change_fleet,
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


def _choose_page(desk: Desk, form: UploadForm, **context: Any) -> HttpResponse:
    return desk.render("upload.html", _("Upload manager.yaml"), form=form, **context)


def _refused_page(desk: Desk, form: OptionsForm, upload: Upload, error: InvalidConfig, token: str = "") -> HttpResponse:
    """Shows every problem with its line. Another file, or other options for a kept file, can be sent."""
    found = error.lines() if isinstance(error, InvalidFile) else [words.line(problem) for problem in error.problems]
    fresh = UploadForm()
    by_hand = _("“%(option)s”, below") % {"option": fresh.fields["retire_missing"].label}
    lines = [words.translated(line).replace(RETIRE_OPTION, by_hand) for line in found]
    fresh.initial = _again(form).initial
    return _choose_page(desk, fresh, refused=lines[: PRINTED_PROBLEMS + 1], name=upload.name, token=token)


def _plan_page(
    desk: Desk, form: OptionsForm, upload: Upload, token: str, report: SyncReport, notice: str = ""
) -> HttpResponse:
    return desk.render(
        "upload_plan.html",
        _("Plan of %(name)s") % {"name": upload.name},
        form=form,
        token=token,
        plan=report.fingerprint,
        notice=notice,
        **report_of(report),
    )
