"""An older version again: what it would change, a reason, and the new version."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from traders.pages.changes import Row, digests_in, rows
from traders.pages.desk import Desk
from traders.pages.reason_form import ReasonForm
from traders.pages.versions import prompt_bodies
from traders.schema.paths import diff
from traders.schema.problems import InvalidConfig
from traders.schema.settings.stored import StoredConfig
from traders.versions import services as configs
from traders.versions.edit.forms.config import VERSION
from traders.versions.edit.stale import Meanwhile
from traders.versions.restore import services as restore
from traders.versions.rules.errors import StaleEdit, UnknownVersion
from traders.versions.rules.merge import unit_of
from traders.versions.rules.proposal import Proposal
from traders.words import messages as words

BEGAN = "began"
KEEP = "keep"


def restore_view(desk: Desk, current: StoredConfig, number: int) -> HttpResponse:
    try:
        old = configs.version(desk.config_id, number)
    except UnknownVersion:
        messages.warning(desk.request, _("There is no version %(n)d: choose one of these.") % {"n": number})
        return HttpResponseRedirect(desk.history_url)
    if desk.request.method != "POST":
        return _page(desk, current, old, ReasonForm())
    form = ReasonForm(desk.request.POST)
    if not form.is_valid():
        return _page(desk, current, old, form)
    try:
        saved = restore.restore(
            config_id=desk.config_id,
            version=number,
            expected_version=_number(desk, VERSION),
            reason=form.cleaned_data["reason"],
            actor=desk.actor,
            keep=desk.request.POST.getlist(KEEP),
            may_change_fleet=desk.is_fleet and desk.may_change_fleet,
        )
    except StaleEdit as stale:
        return _page(desk, stale.theirs, old, form)
    except InvalidConfig as invalid:
        form.add_problems(invalid.problems)
        return _page(desk, current, old, form)
    if saved is None:
        messages.info(desk.request, _("Nothing differs: no version was made."))
    else:
        messages.success(
            desk.request,
            _("Restored version %(old)d as version %(new)d.") % {"old": number, "new": saved.version},
        )
    return HttpResponseRedirect(desk.history_url)


def _number(desk: Desk, name: str) -> int:
    try:
        number = int(desk.request.POST.get(name, ""))
    except ValueError:
        number = 0
    if number < 1:
        raise BadRequest(f"{name} must be a version")
    return number


def _page(desk: Desk, current: StoredConfig, old: StoredConfig, form: ReasonForm) -> HttpResponse:
    refused, proposal, shown = [], None, []
    began = _began(desk, current) if form.is_bound else current
    try:
        proposal = restore.propose_restore(
            config_id=desk.config_id, version=old.version, expected_version=current.version
        )
        shown = rows(desk.config_id, proposal.changes, texts=prompt_bodies(digests_in(proposal.changes)))
    except InvalidConfig as invalid:
        refused = [words.line(problem) for problem in invalid.problems]
    return desk.render(
        "restore.html",
        desk.name(current),
        tab="history",
        old=old,
        current=current,
        began=began,
        form=form,
        rows=shown,
        raised=[row for row in shown if row.risk == "raises"],
        proposal=proposal,
        refused=refused,
        meanwhile=_meanwhile(desk, began, current),
        taken_back=_taken_back(desk, began, current, old),
        kept=desk.request.POST.getlist(KEEP),
        stays_retired=_stays_retired(proposal, old),
    )


def _began(desk: Desk, current: StoredConfig) -> StoredConfig:
    """The version over which the first preview was made."""
    number = _number(desk, BEGAN if BEGAN in desk.request.POST else VERSION)
    if number == current.version:
        return current
    try:
        return configs.version(desk.config_id, number)
    except UnknownVersion:
        raise BadRequest(f"{BEGAN} must be a version") from None


def _meanwhile(desk: Desk, began: StoredConfig, current: StoredConfig) -> Meanwhile | None:
    saved = current.version - began.version
    return Meanwhile(current, saved, rows(desk.config_id, diff(began.flat, current.flat)), 0, 0) if saved else None


def _taken_back(desk: Desk, began: StoredConfig, current: StoredConfig, old: StoredConfig) -> list[Row]:
    """Changes since the first preview that the restore would undo: each may be kept.

    Of the paths of a prompt, which are kept together, the first one that differs.
    """
    moved = {path for change in diff(began.flat, current.flat) for path in unit_of(change.path)}
    back = {unit_of(change.path): change for change in reversed(diff(current.flat, old.flat)) if change.path in moved}
    return rows(desk.config_id, reversed(back.values()))


def _stays_retired(proposal: Proposal | None, old: StoredConfig) -> bool:
    """The old version was in the fleet and the trader is not any more: that part is not restored."""
    spec: Any = proposal.spec if proposal else None
    return bool(spec and getattr(spec.detail, "retired", False) and not getattr(old.spec.detail, "retired", True))
