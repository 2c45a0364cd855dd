"""Edit and add: the form, its preview, and the save that makes a version."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from traders.models import SyncConflict
from traders.pages.changes import digests_in, rows
from traders.pages.desk import Desk
from traders.pages.versions import prompt_bodies
from traders.schema.paths import Flat
from traders.schema.problems import InvalidConfig
from traders.schema.settings.stored import StoredConfig
from traders.schema.settings.validate import require_trader_id
from traders.versions import services as configs
from traders.versions.edit import services as edit
from traders.versions.edit.forms.config import NEW_ID, REASON, VERSION, ConfigForm, defaults
from traders.versions.edit.names import choices
from traders.versions.edit.rules import Choices
from traders.versions.edit.stale import (
    TAKE,
    THEIRS_VERSION,
    Meanwhile,
    choices_of,
    comparison,
    meanwhile,
    on_theirs,
    reopened,
    stale_page,
)
from traders.versions.reason import required_reason
from traders.versions.rules.errors import AlreadyExists, StaleEdit, UnknownVersion
from traders.versions.rules.proposal import Proposal

NOT_CARRIED = ("csrfmiddlewaretoken", "step", THEIRS_VERSION)


def edit_view(desk: Desk, current: StoredConfig | None) -> HttpResponse:
    """`current` is None for a trader to be added, and for fleet settings that are not there yet."""
    if desk.request.method != "POST":
        return _form_page(desk, current, _form(desk, current), current)
    base = _base(desk)
    step = desk.request.POST.get("step", "preview")
    form = _form(desk, base, desk.request.POST)
    if step == "back":
        return _form_page(desk, current, form, base)
    if step == "rebase":
        return _merge(desk, form, reopened(desk, form, base), choices_of(desk))
    return _propose_or_save(desk, current, form, base, saving=step == "save")


def _propose_or_save(
    desk: Desk,
    current: StoredConfig | None,
    form: ConfigForm,
    base: StoredConfig | None,
    *,
    saving: bool,
    merged: Meanwhile | None = None,
) -> HttpResponse:
    """`merged`: the form was rebased on a version saved meanwhile."""
    config_id = desk.config_id or form.data.get(NEW_ID, "").strip()
    version = base.version if base else 0
    try:
        if not desk.config_id and config_id:
            require_trader_id(config_id)
        proposal = _proposal(form, config_id, version)
        if form.errors or proposal is None:
            return _form_page(desk, current, form, base, merged)
        if not saving or not proposal.changes:
            return _preview_page(desk, form, proposal, merged)
        saved = edit.save(
            config_id=config_id,
            flat=form.flat(),
            expected_version=version,
            reason=_reason(form),
            actor=desk.actor,
            may_change_fleet=desk.is_fleet and desk.may_change_fleet,
        )
    except InvalidConfig as invalid:
        form.add_problems(invalid.problems)
    except AlreadyExists as taken:
        form.add_error(NEW_ID, _("The trader %(id)s exists already.") % {"id": taken.existing})
    except StaleEdit as stale:
        return _merge(desk, form, stale)
    else:
        return _saved(desk, config_id, saved.version if saved else None)
    return _form_page(desk, current, form, base, merged)


def _merge(desk: Desk, form: ConfigForm, stale: StaleEdit, chosen: Choices | None = None) -> HttpResponse:
    """On to the preview of the merged whole; where both sides touched a setting, its choice comes first.

    `chosen` holds for the two sides that were shown with it only: one more save in between asks again.
    """
    sides = comparison(stale)
    if sides.undecided(chosen or {}):
        return stale_page(desk, stale, sides, choices=chosen, carried=_carried(form))
    on_top = on_theirs(desk, form, stale, sides.merged(chosen or {}))
    said = meanwhile(desk, stale, sides)
    return _propose_or_save(desk, stale.theirs, on_top, stale.theirs, saving=False, merged=said)


def _proposal(form: ConfigForm, config_id: str, version: int) -> Proposal | None:
    """None when the form cannot be read as a whole. A missing reason does not keep other problems from being told."""
    if not set(form.errors) <= {REASON}:
        return None
    proposal = edit.propose(config_id=config_id, flat=form.flat(), expected_version=version)
    if not form.errors:
        required_reason(_reason(form))
    return proposal


def _reason(form: ConfigForm) -> str:
    return str(form.cleaned_data[REASON])


def _form(desk: Desk, base: StoredConfig | None, data: Any = None) -> ConfigForm:
    flat: Flat = base.flat if base else defaults(desk.settings)
    return ConfigForm(data, settings=desk.settings, base=flat, known=choices(), adding=not desk.config_id)


def _base(desk: Desk) -> StoredConfig | None:
    """The version that the form was opened on."""
    try:
        number = int(desk.request.POST.get(VERSION, ""))
        return None if not number and _may_be_new(desk) else configs.version(desk.config_id, number)
    except (ValueError, UnknownVersion):
        raise BadRequest(f"{VERSION} must be a version of {desk.config_id!r}") from None


def _may_be_new(desk: Desk) -> bool:
    return desk.is_fleet or not desk.config_id


def _saved(desk: Desk, config_id: str, version: int | None) -> HttpResponse:
    at = Desk(desk.admin, desk.request, config_id)
    if version is None:
        messages.info(desk.request, _("Nothing differs: no version was made."))
        return HttpResponseRedirect(at.change_url)
    messages.success(desk.request, _("Saved version %(version)d.") % {"version": version})
    return HttpResponseRedirect(at.history_url)


def _carried(form: ConfigForm) -> list[tuple[str, str]]:
    """What was posted, to be posted again from the next page."""
    data: Any = form.data
    return [
        (name, value)
        for name, values in data.lists()
        if name not in NOT_CARRIED and not name.startswith(TAKE)
        for value in values
    ]


def _form_page(
    desk: Desk,
    current: StoredConfig | None,
    form: ConfigForm,
    base: StoredConfig | None,
    merged: Meanwhile | None = None,
) -> HttpResponse:
    if form.is_bound and form.errors:
        form.focus_first_wrong()
    waiting = SyncConflict.objects.filter(config_id=desk.config_id).count()
    return desk.render(
        "edit.html",
        desk.name(current),
        tab="edit",
        form=form,
        parts=form.parts(),
        version=base.version if base else 0,
        current=current,
        open_conflicts=waiting,
        cloned_from=base.flat.get("detail.cloned_from") if base else None,
        prompts_missing=not form.known.prompts and not desk.is_fleet,
        merged=merged,
    )


def _preview_page(desk: Desk, form: ConfigForm, proposal: Proposal, merged: Meanwhile | None) -> HttpResponse:
    shown = rows(desk.config_id, proposal.changes, texts=prompt_bodies(digests_in(proposal.changes)))
    return desk.render(
        "preview.html",
        desk.name(proposal.current),
        tab="edit",
        rows=shown,
        proposal=proposal,
        raised=[row for row in shown if row.risk == "raises"],
        reason=_reason(form),
        carried=_carried(form),
        merged=merged,
    )
