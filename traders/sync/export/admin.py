"""Downloads a bundle: one trader, now or in a version; the chosen traders; or the whole fleet."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from traders.pages.config_page import ConfigPage
from traders.schema.problems import InvalidConfig
from traders.sync.export.bundles import zipped
from traders.sync.export.services import bundle
from traders.versions.bulk.chosen import ALL, chosen_ids, nobody_chosen
from traders.versions.rules.errors import NothingStored, UnknownConfig
from traders.words import messages as words


def download_view(page: ConfigPage) -> HttpResponse:
    """The traders of `chosen.chosen_ids`, or the whole fleet where the address names none."""
    trader_ids = chosen_ids(page)
    if not trader_ids and ALL in page.request.GET:
        return nobody_chosen(page)
    return _download(page, trader_ids, f"fleet-{timezone.now():%Y%m%dT%H%M%SZ}", back=page.list_url)


def download_trader_view(page: ConfigPage, number: int | None = None) -> HttpResponse:
    """One trader, as it stands or in its version `number`."""
    name = f"{slugify(page.config_id)}-v{number}" if number else slugify(page.config_id)
    return _download(page, [page.config_id], name, number=number, back=page.history_url)


def _download(
    page: ConfigPage, trader_ids: Sequence[str], name: str, *, number: int | None = None, back: str
) -> HttpResponse:
    try:
        content = zipped(bundle(trader_ids=trader_ids, version=number), directory=name)
    except (NothingStored, UnknownConfig, InvalidConfig) as refused:
        messages.error(page.request, _("Nothing to download: %(why)s.") % {"why": words.why(refused)})
        return HttpResponseRedirect(back)
    response = HttpResponse(content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    return response
