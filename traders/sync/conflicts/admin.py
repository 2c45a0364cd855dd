"""The page that settles conflicts between manager.yaml and the stored configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.pages.admin_log import log_change_set
from traders.pages.config_page import ConfigPage
from traders.pages.preview_flow import SAVE, PreviewFlow
from traders.pages.reason_form import ReasonForm
from traders.pages.saved import say_saved
from traders.schema.paths import Change
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import SavedVersion
from traders.sync.conflicts.services import OpenConflict, open_conflicts, settle
from traders.versions.rules.errors import UnknownConfig
from traders.versions.rules.merge import MergeSide, unit_of
from traders.versions.rules.proposal import settings_of
from traders.words import settings as words
from traders.words.messages import why

FIELD = "choice"
SEEN = "seen"


@dataclass(frozen=True)
class ConflictLine:
    """One path with its three values. `name` is the field of its choice, empty if the choice of another line decides
    it."""

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


def conflicts_view(page: ConfigPage) -> HttpResponse:
    return ConflictsFlow(page).answer()


class ConflictsFlow(PreviewFlow):
    """All open conflicts and the reason on one page. Settled conflicts are in the change log, as a sync is."""

    first_step = SAVE

    def __init__(self, page: ConfigPage) -> None:
        super().__init__(page)
        self.waiting = open_conflicts()
        self.choices: dict[tuple[str, str], MergeSide] = {}

    def make_form(self, data: QueryDict | None) -> ReasonForm:
        return ReasonForm(data)

    def is_valid(self) -> bool:
        self.choices = _choices(self.page, self.waiting)
        if not self.choices:
            self.form.add_error(None, _("Choose a side for at least one conflict."))
        return super().is_valid()

    def save(self) -> list[SavedVersion]:
        return settle(
            choices=self.choices,
            reason=self.reason,
            actor=self.page.actor,
            expected_versions=_seen(self.page, self.choices),
            may_change_fleet=self.page.may_change_fleet,
        )

    def saved(self, result: list[SavedVersion]) -> HttpResponse:
        said = _settled(len(self.choices), len(result))
        if result:
            log_change_set(self.page, result, self.reason)
            say_saved(self.request, said, result, warns_of_pins=False)
        else:
            messages.success(self.request, said)
        return HttpResponseRedirect(reverse("admin:traders_conflicts"))

    def stale_page(self, stale: Exception) -> HttpResponse:
        self.form.add_error(None, _("%(error)s. Check the values, then settle.") % {"error": why(stale)})
        self.waiting = open_conflicts()
        return self.form_page()

    def unknown_page(self, unknown: UnknownConfig) -> HttpResponse:
        return self.stale_page(unknown)

    def form_page(self) -> HttpResponse:
        groups = groupby(self.waiting, key=lambda conflict: conflict.config_id)
        blocks = [_block(self.page, list(group)) for _id, group in groups]
        return self.page.render(
            "conflicts.html",
            _("Sync conflicts"),
            blocks=blocks,
            count=len(self.waiting),
            form=self.form,
            positions=self.page.positions_beyond(_of_the_file(self.waiting)),
        )


def _of_the_file(waiting: list[OpenConflict]) -> dict[str, list[Change]]:
    """{config_id: what would change if the file's values were chosen}; the stored ones change nothing."""
    found: dict[str, list[Change]] = {}
    for one in waiting:
        if one.config_id != FLEET_ID:
            found.setdefault(one.config_id, []).append(Change(one.path, one.stored, one.file))
    return found


def _settled(choices: int, versions: int) -> str:
    settled = ngettext("Settled %(n)d conflict", "Settled %(n)d conflicts", choices) % {"n": choices}
    made = ngettext("%(n)d new version", "%(n)d new versions", versions) % {"n": versions}
    return _("%(settled)s, %(made)s.") % {"settled": settled, "made": made}


def _choices(page: ConfigPage, waiting: list[OpenConflict]) -> dict[tuple[str, str], MergeSide]:
    found = {}
    for conflict in waiting:
        if (answer := page.request.POST.get(_name(conflict))) in list(MergeSide):
            if not _may_settle(page, conflict.config_id):
                raise PermissionDenied
            found[conflict.config_id, conflict.path] = MergeSide(answer)
    return found


def _seen(page: ConfigPage, choices: Mapping[tuple[str, str], MergeSide]) -> dict[str, int]:
    """The versions that the page showed."""
    try:
        return {name: int(page.request.POST[f"{SEEN}:{name}"]) for name, _path in choices}
    except (KeyError, ValueError):
        raise BadRequest("the versions seen are missing") from None


def _name(conflict: OpenConflict) -> str:
    return f"{FIELD}:{conflict.config_id}:{conflict.path}"


def _block(page: ConfigPage, conflicts: list[OpenConflict]) -> ConflictBlock:
    config_id = conflicts[0].config_id
    decided: set[str] = set()
    lines = []
    for conflict in conflicts:
        lines.append(_line(page, conflict, name="" if conflict.path in decided else _name(conflict)))
        decided.update(unit_of(conflict.path))
    title = _("Fleet settings") if config_id == FLEET_ID else config_id
    return ConflictBlock(config_id, title, conflicts[0].version, lines, _may_settle(page, config_id))


def _may_settle(page: ConfigPage, config_id: str) -> bool:
    return page.may_change_fleet if config_id == FLEET_ID else page.may_change


def _line(page: ConfigPage, conflict: OpenConflict, *, name: str) -> ConflictLine:
    settings = settings_of(conflict.config_id)
    setting = settings.get(conflict.path)
    return ConflictLine(
        path=conflict.path,
        label=words.place(settings, conflict.path),
        base=words.value(setting, conflict.base),
        file=words.value(setting, conflict.file),
        stored=words.value(setting, conflict.stored),
        name=name,
        chosen=page.request.POST.get(name, "") if name else "",
    )
