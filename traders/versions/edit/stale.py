"""Handles a stale edit: merges both sides, asks for choices, and moves the form to the newer version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict

from traders.pages.changes import ChangeLine, rows
from traders.pages.config_page import ConfigPage
from traders.schema.paths import ABSENT, Flat, diff
from traders.schema.settings.stored import StoredConfig
from traders.versions import services as configs
from traders.versions.edit.forms.config import REASON, VERSION, ConfigForm, posted
from traders.versions.edit.rules import Choices, ContestedChoice, Rebase, rebase
from traders.versions.rules.errors import StaleEdit, UnknownVersion
from traders.versions.rules.merge import Unit
from traders.words import settings as words

THEIRS_VERSION = "theirs_version"
TAKE = "take:"


@dataclass(frozen=True)
class ContestedLine:
    """One changed setting with its three sides. `who` is only_mine, only_theirs, agreed or
    contested; `name` is the field of the choice and `chosen` what was chosen so far."""

    path: str
    label: str
    base: str
    theirs: str
    mine: str
    who: str
    name: str
    chosen: str


@dataclass(frozen=True)
class NewerVersions:
    """What a page says when it goes on from a newer version: who saved, which paths, and how many of my changes were
    added.

    `saved` counts the versions since mine began; `chosen` the contested settings that were chosen for.
    """

    theirs: StoredConfig
    saved: int
    rows: list[ChangeLine]
    mine_count: int
    chosen: int


def comparison(stale: StaleEdit) -> Rebase:
    return rebase(base=stale.base.flat if stale.base else {}, theirs=stale.theirs.flat, mine=stale.mine)


def reopened(page: ConfigPage, form: ConfigForm, base: StoredConfig | None) -> StaleEdit:
    """The stale edit with the posted choices, on the version that the page of the choices showed."""
    try:
        theirs = configs.version(page.config_id, int(page.request.POST.get(THEIRS_VERSION, "")))
    except (ValueError, UnknownVersion):
        raise BadRequest(f"{THEIRS_VERSION} must be a version") from None
    if not set(form.errors) <= {REASON}:
        raise BadRequest("values that can be compared were expected")
    return StaleEdit(base=base, theirs=theirs, mine=form.flat(), expected_version=base.version if base else 0)


def choices_of(page: ConfigPage) -> Choices:
    """The choices for contested settings."""
    found = {}
    for name, value in page.request.POST.items():
        if name.startswith(TAKE) and value in list(ContestedChoice):
            found[name.removeprefix(TAKE)] = ContestedChoice(str(value))
    return found


def on_theirs(page: ConfigPage, form: ConfigForm, stale: StaleEdit, merged: Flat) -> ConfigForm:
    """The form on top of the newer version, filled with the merged whole."""
    data = QueryDict(mutable=True)
    data.update(posted(form, merged))
    data[REASON] = form.data.get(REASON, "")
    data[VERSION] = str(stale.theirs.version)
    return ConfigForm(data, settings=page.settings, base=stale.theirs.flat, known=form.known)


def meanwhile(page: ConfigPage, stale: StaleEdit, sides: Rebase) -> NewerVersions:
    return NewerVersions(
        theirs=stale.theirs,
        saved=stale.theirs.version - stale.expected_version,
        rows=rows(page.config_id, diff(sides.base, sides.theirs)) if sides.base else [],
        mine_count=len(sides.only_mine),
        chosen=len(sides.contested),
    )


def stale_page(
    page: ConfigPage, stale: StaleEdit, sides: Rebase, *, choices: Choices | None, carried: Sequence[tuple[str, str]]
) -> HttpResponse:
    """The page of the choices. `choices` are an incomplete earlier answer; None before the first question."""
    missing = [] if choices is None else sides.undecided(choices)
    return page.render(
        "stale.html",
        page.name(stale.theirs),
        tab="edit",
        stale=stale,
        contests=_contests(page, sides, choices or {}),
        meanwhile=meanwhile(page, stale, sides),
        has_base=bool(sides.base),
        missing=[words.place(page.settings, unit[0]) for unit in missing],
        carried=carried,
    )


def _contests(page: ConfigPage, sides: Rebase, choices: Choices) -> list[ContestedLine]:
    return [
        ContestedLine(
            path=unit[0],
            label=words.place(page.settings, unit[0]),
            base=_shown(page, unit, sides.base),
            theirs=_shown(page, unit, sides.theirs),
            mine=_shown(page, unit, sides.mine),
            who=who,
            name=TAKE + unit[0],
            chosen=choices.get(unit[0], ""),
        )
        for who in ("contested", "only_mine", "only_theirs", "agreed")
        for unit in getattr(sides, who)
    ]


def _shown(page: ConfigPage, unit: Unit, flat: Flat) -> str:
    return " · ".join(words.value(page.settings.get(path), flat.get(path, ABSENT)) for path in unit)
