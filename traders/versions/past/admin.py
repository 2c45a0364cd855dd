"""Pages of the fleet as of a moment: list, one configuration, and a bundle of all."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _

from traders.controls import queries as controls
from traders.pages.config_page import AT, ConfigPage, asked_moment
from traders.schema.problems import InvalidConfig
from traders.schema.settings.stored import StoredConfig
from traders.sync.export.bundles import zipped
from traders.sync.export.services import bundle
from traders.templatetags.display import moment_text
from traders.versions.history.admin import whole
from traders.versions.past import services as as_of
from traders.versions.past.forms import AsOfForm, selects
from traders.versions.rules.errors import NothingStored, UnknownConfig
from traders.words import messages as words


def past_list_view(page: ConfigPage) -> HttpResponse:
    moment = asked_moment(page)
    if moment is None:
        return HttpResponseRedirect(page.list_url)
    form = AsOfForm(page.request.GET)
    search = form.search()
    fleet = as_of.fleet_as_of(moment, search, number=form.number)
    pinned = controls.pinned_then([line.config.config_id for line in fleet.page.lines], moment)
    asked = {AT: moment_text(moment), **form.asked}
    numbers: Any = Paginator(range(fleet.page.matching), as_of.PAGE).get_elided_page_range(
        min(fleet.number, fleet.pages)
    )
    return page.render(
        "past_list.html",
        _("Traders"),
        moment=moment,
        fleet=fleet,
        lines=[(line, pinned.get(line.config.config_id)) for line in fleet.page.lines],
        form=form,
        selects=selects(form.asked, exchange=fleet.page.exchanges, market=fleet.page.markets, llm=fleet.page.models),
        pages=[(n, urlencode({**asked, "p": n}) if isinstance(n, int) else "") for n in numbers],
        searched=bool(form.asked),
        asked=list(asked.items()),
        back_url=page.list_url,
    )


def past_view(page: ConfigPage, current: StoredConfig) -> HttpResponse:
    """The page of one configuration as of the moment."""
    moment = asked_moment(page)
    if moment is None:
        return HttpResponseRedirect(page.change_url)
    then = as_of.config_as_of(page.config_id, moment)
    return page.render(
        "past.html",
        page.name(then or current),
        moment=moment,
        shown=then,
        current=current,
        pinned_version=controls.pinned_then([page.config_id], moment).get(page.config_id),
        groups=whole(page.settings, then.flat) if then else [],
        back_url=page.change_url,
    )


def bundle_view(page: ConfigPage) -> HttpResponse:
    """The bundle as of `?at=`, of all traders or of `?trader=`: manager.yaml and its prompts in one file."""
    moment = asked_moment(page)
    if moment is None:
        return HttpResponseRedirect(page.list_url)
    ids = [name.replace("\0", "") for name in page.request.GET.getlist("trader")]
    name = f"{slugify(ids[0]) if len(ids) == 1 else 'fleet'}-{moment:%Y%m%dT%H%M%SZ}"
    try:
        content = zipped(bundle(trader_ids=list(dict.fromkeys(ids)), at=moment), directory=name)
    except (NothingStored, UnknownConfig, InvalidConfig) as refused:
        messages.error(page.request, _("Nothing to export: %(why)s.") % {"why": words.why(refused)})
        return HttpResponseRedirect(_list_at(moment))
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    return response


def _list_at(moment: datetime) -> str:
    query = urlencode({AT: moment_text(moment)})
    return f"{reverse('admin:traders_traderconfig_changelist')}?{query}"
