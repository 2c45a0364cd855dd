"""The change log of the fleet: change sets newest first, filtered, page after page, and as CSV."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from traders.pages.config_page import ConfigPage
from traders.pages.csv_text import download
from traders.schema.settings.fleet import FLEET_ID
from traders.versions import services as configs
from traders.versions.changelog import services as changelog
from traders.versions.changelog.forms import LogFilterForm
from traders.versions.changelog.queries import ChangeSetLine, Filter
from traders.versions.rules.proposal import settings_of
from traders.words import settings as words

LOG = "admin:traders_changelog"


def log_view(page: ConfigPage) -> HttpResponse:
    form = _form(page)
    where = filter_of(form) if form.is_valid() else None
    before = form.cleaned_data.get("before") if where else None
    found = changelog.page(where, before=before) if where else changelog.LogPage([], None)
    asked = _asked(form)
    return page.render(
        "log.html",
        _("Change log"),
        form=form,
        lines=with_settings(found.lines),
        older=_address({**asked, "before": str(found.next_before)}) if found.next_before else "",
        newest=_address(asked) if before else "",
        csv="?".join(filter(None, (reverse("admin:traders_changelog_csv"), urlencode(asked)))) if where else "",
        filtered=bool(asked),
        narrowed=urlencode({"config": asked["config"]}) if asked.get("config") else "",
        meant=sorted((words.place(settings_of(_owner(path)), path), path) for path in where.paths) if where else [],
        unknown=_unknown_trader(where) if where and not found.lines else "",
    )


def csv_view(page: ConfigPage) -> HttpResponse | StreamingHttpResponse:
    """The versions that match, as they are read."""
    form = _form(page)
    if not form.is_valid() or (where := filter_of(form)) is None:
        return HttpResponseRedirect(_address(_asked(form)))
    response = StreamingHttpResponse(download(changelog.csv_lines(where)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="changes-{timezone.now():%Y-%m-%d}.csv"'
    return response


def _form(page: ConfigPage) -> LogFilterForm:
    return LogFilterForm(page.request.GET, actors=changelog.actors(), sources=changelog.sources())


def filter_of(form: LogFilterForm) -> Filter | None:
    """Of a valid form. None, with an error at its field, where the words name no setting."""
    given = form.cleaned_data
    paths = changelog.paths_of(given["path"]) if given["path"] else frozenset()
    if given["path"] and not paths:
        form.add_error("path", _("No setting has “%(words)s” in its label or path.") % {"words": given["path"]})
        return None
    return Filter(
        config_id=given["config"],
        actor=given["actor"],
        paths=paths,
        source=given["source"],
        since=given["since"],
        until=given["until"],
        change_set=given.get("change_set"),
    )


def _asked(form: LogFilterForm) -> dict[str, str]:
    """What the address asks for, to be asked again, but for the place in the log."""
    return {name: text for name in form.fields if name != "before" and (text := str(form.data.get(name, "")).strip())}


def _address(asked: dict[str, str]) -> str:
    return f"{reverse(LOG)}?{urlencode(asked)}" if asked else reverse(LOG)


def with_settings(lines: Iterable[ChangeSetLine]) -> list[tuple[ChangeSetLine, list[tuple[str, str]]]]:
    """Each line with what it changed, in words."""
    return [(line, _settings_in(line)) for line in lines]


def _settings_in(line: ChangeSetLine) -> list[tuple[str, str]]:
    """(in words, path) of what changed in those of the line that are shown."""
    return [(words.place(settings_of(_owner(path)), path), path) for path in line.changed_fields]


def _owner(path: str) -> str:
    """Whose setting it is, where only the path is known: paths of the fleet and of traders differ."""
    return FLEET_ID if path in settings_of(FLEET_ID) else ""


def _unknown_trader(where: Filter) -> Any:
    """The id in the filter if no configuration has it."""
    asked = where.config_id
    return asked if asked and asked != FLEET_ID and configs.stored(asked) is None else ""
