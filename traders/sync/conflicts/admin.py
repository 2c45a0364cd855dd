"""The page of open sync conflicts: a choice for each, and one reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.pages.desk import Desk
from traders.pages.reason_form import ReasonForm
from traders.schema.problems import InvalidConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.sync.conflicts.services import OpenConflict, open_conflicts, settle
from traders.versions.rules.errors import StaleEdit, UnknownConfig
from traders.versions.rules.merge import Side, unit_of
from traders.versions.rules.proposal import settings_of
from traders.words import settings as words

FIELD = "choice"
SEEN = "seen"


@dataclass(frozen=True)
class ConflictLine:
    """One path with its three values. `name` is its choice's field, empty where another line's choice decides it."""

    path: str
    label: str
    base: str
    file: str
    stored: str
    name: str
    chosen: str


@dataclass(frozen=True)
class ConflictBlock:
    """The conflicts of one configuration."""

    config_id: str
    title: str
    version: int
    lines: list[ConflictLine]
    may_settle: bool


def conflicts_view(desk: Desk) -> HttpResponse:
    waiting = open_conflicts()
    if desk.request.method != "POST":
        return _page(desk, waiting, ReasonForm())
    form = ReasonForm(desk.request.POST)
    choices = _choices(desk, waiting)
    if not choices:
        form.add_error(None, _("Choose a side for at least one conflict."))
    if not form.is_valid():
        return _page(desk, waiting, form)
    try:
        saved = settle(
            choices=choices,
            reason=form.cleaned_data["reason"],
            actor=desk.actor,
            expected_versions=_seen(desk, choices),
            may_change_fleet=desk.may_change_fleet,
        )
    except InvalidConfig as invalid:
        form.add_problems(invalid.problems)
        return _page(desk, waiting, form)
    except (StaleEdit, UnknownConfig) as stale:
        form.add_error(None, _("%(error)s. Look again, then settle.") % {"error": stale})
        return _page(desk, open_conflicts(), form)
    messages.success(desk.request, _settled(len(choices), len(saved)))
    return HttpResponseRedirect(reverse("admin:traders_conflicts"))


def _settled(choices: int, versions: int) -> str:
    settled = ngettext("Settled %(n)d conflict", "Settled %(n)d conflicts", choices) % {"n": choices}
    made = ngettext("%(n)d new version", "%(n)d new versions", versions) % {"n": versions}
    return f"{settled}, {made}."


def _choices(desk: Desk, waiting: list[OpenConflict]) -> dict[tuple[str, str], Side]:
    found = {}
    for conflict in waiting:
        if (answer := desk.request.POST.get(_name(conflict))) in list(Side):
            if not _may_settle(desk, conflict.config_id):
                raise PermissionDenied
            found[conflict.config_id, conflict.path] = Side(answer)
    return found


def _seen(desk: Desk, choices: Mapping[tuple[str, str], Side]) -> dict[str, int]:
    """The versions that the page showed."""
    try:
        return {name: int(desk.request.POST[f"{SEEN}:{name}"]) for name, _path in choices}
    except (KeyError, ValueError):
        raise BadRequest("the versions seen are missing") from None


def _name(conflict: OpenConflict) -> str:
    return f"{FIELD}:{conflict.config_id}:{conflict.path}"


def _page(desk: Desk, waiting: list[OpenConflict], form: ReasonForm) -> HttpResponse:
    blocks = [_block(desk, list(group)) for _id, group in groupby(waiting, key=lambda c: c.config_id)]
    return desk.render("conflicts.html", _("Sync conflicts"), blocks=blocks, count=len(waiting), form=form)


def _block(desk: Desk, conflicts: list[OpenConflict]) -> ConflictBlock:
    config_id = conflicts[0].config_id
    decided: set[str] = set()
    lines = []
    for conflict in conflicts:
        lines.append(_line(desk, conflict, name="" if conflict.path in decided else _name(conflict)))
        decided.update(unit_of(conflict.path))
    title = _("Fleet settings") if config_id == FLEET_ID else config_id
    return ConflictBlock(config_id, title, conflicts[0].version, lines, _may_settle(desk, config_id))


def _may_settle(desk: Desk, config_id: str) -> bool:
    return desk.may_change_fleet if config_id == FLEET_ID else desk.may_change


def _line(desk: Desk, conflict: OpenConflict, *, name: str) -> ConflictLine:
    settings = settings_of(conflict.config_id)
    setting = settings.get(conflict.path)
    return ConflictLine(
        path=conflict.path,
        label=words.place(settings, conflict.path),
        base=words.value(setting, conflict.base),
        file=words.value(setting, conflict.file),
        stored=words.value(setting, conflict.stored),
        name=name,
        chosen=desk.request.POST.get(name, "") if name else "",
    )
