"""The change log of the fleet: change sets newest first, filtered, page after page, and as CSV."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from traders.pages.config_page import ConfigPage, trader_head
from traders.pages.csv_text import download
from traders.schema.settings.fleet import FLEET_ID
from traders.versions import services as configs
from traders.versions.changelog import services as changelog
from traders.versions.changelog.forms import RAISES, LogFilterForm
from traders.versions.changelog.pages import lines_shown, setting_words
from traders.versions.changelog.queries import Filter
from traders.words.trader_field import offered_traders, only_one

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
        tab="changes",
        head=trader_head(page.request, where.config_id) if where else None,
        form=form,
        lines=lines_shown(found.lines, paths=where.paths if where else ()),
        older=_address({**asked, "before": str(found.next_before)}) if found.next_before else "",
        newest=_address(asked) if before else "",
        csv="?".join(filter(None, (reverse("admin:traders_changelog_csv"), urlencode(asked)))) if where else "",
        filtered=bool(asked),
        narrowed=bool(asked.get("config")),
        meant=sorted((setting_words(path), path) for path in where.paths) if where else [],
        traders=offered_traders(),
        unknown=_unknown_trader(where) if where and not found.lines else "",
    )


def csv_view(page: ConfigPage) -> HttpResponse | StreamingHttpResponse:
    """Streams the versions that match."""
    form = _form(page)
    if not form.is_valid() or (where := filter_of(form)) is None:
        return HttpResponseRedirect(_address(_asked(form)))
    response = StreamingHttpResponse(download(changelog.csv_lines(where)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="changes-{timezone.now():%Y-%m-%d}.csv"'
    return response


def _form(page: ConfigPage) -> LogFilterForm:
    return LogFilterForm(page.request.GET, actors=changelog.actors(), sources=changelog.sources())


def filter_of(form: LogFilterForm) -> Filter | None:
    """The filter of a valid form. None, with an error at its field, if no setting matches the words."""
    given = form.cleaned_data
    paths = changelog.paths_of(given["path"]) if given["path"] else frozenset()
    if given["path"] and not paths:
        form.add_error("path", _("No setting has “%(words)s” in its label or path.") % {"words": given["path"]})
        return None
    return Filter(
        config_id=only_one(given["config"]),
        config_ids=given["config"] if len(given["config"]) > 1 else (),
        actor=given["actor"],
        paths=paths,
        source=given["source"],
        since=given["since"],
        until=given["until"],
        change_set=given.get("change_set"),
        raises=given["risk"] == RAISES,
    )


def _asked(form: LogFilterForm) -> dict[str, str]:
    """The filters of the address, without the place in the log, for links to other pages of it."""
    return {name: text for name in form.fields if name != "before" and (text := str(form.data.get(name, "")).strip())}


def _address(asked: dict[str, str]) -> str:
    return f"{reverse(LOG)}?{urlencode(asked)}" if asked else reverse(LOG)


def _unknown_trader(where: Filter) -> str:
    """The text of the filter if no configuration has it in its id or name."""
    asked = where.config_id
    return asked if asked and asked != FLEET_ID and configs.stored(asked) is None else ""
