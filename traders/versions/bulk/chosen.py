"""The traders of a page about many: the ticked ones in the list, or all that its filter matches."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _

from traders.drafts.pages import is_posted
from traders.drafts.rules import DRAFT
from traders.pages.config_page import ConfigPage
from traders.schema import jsonio

TRADER, ALL, CHOSEN, LEAVE, SEEN = "trader", "all", "chosen", "leave", "seen"
_OWN = (TRADER, ALL)
WANTS_NO_ROWS = "wants_no_rows"
"""An attribute of a request: the list reads no page of rows, only its filter is asked for."""
LIST = "list"
"""In the address of a change set: the filter of the list that led to it."""


def chosen_ids(page: ConfigPage) -> list[str]:
    """In order of id. The address of a page has the list's filter or names traders; a posted page names all.

    `leave` are traders to be left out.
    """
    if is_posted(page.request):
        named, left = page.request.POST.get(CHOSEN, "").split(), set(page.request.POST.getlist(LEAVE))
        return [name for name in dict.fromkeys(named) if name not in left]
    if ALL in page.request.GET:
        return matching_ids(page)
    # Ids have no blanks. A text with blanks becomes an id that does not exist, which is reported.
    named = [re.sub(r"[\s\0]+", "_", name) for name in page.request.GET.getlist(TRADER)]
    return sorted(dict.fromkeys(name for name in named if name))


def matching_ids(page: ConfigPage) -> list[str]:
    """The traders that the list would show on all its pages for this address."""
    request = copy.copy(page.request)
    asked = QueryDict(mutable=True)
    for name, values in page.request.GET.lists():
        if name not in _OWN:
            asked.setlist(name, values)
    request.GET = asked  # type: ignore[assignment]
    setattr(request, WANTS_NO_ROWS, True)
    try:
        changes: Any = page.admin.get_changelist_instance(request)
    except IncorrectLookupParameters:  # the address has a filter that the list does not know: no trader matches
        return []
    return list(changes.queryset.order_by("pk").values_list("pk", flat=True))


def seen_versions(page: ConfigPage) -> Mapping[str, int]:
    """{config_id: version} of the preview that is being saved."""
    try:
        seen = jsonio.loads(page.request.POST.get(SEEN, ""))
    except (ValueError, RecursionError):
        seen = None
    if not isinstance(seen, dict) or not all(type(number) is int for number in seen.values()):
        raise BadRequest("the versions seen are missing")
    return seen


def list_filter(page: ConfigPage, without: Collection[str] = ()) -> str:
    """The filter of the list from which the traders were chosen, which the address of their page carries beside what
    the page itself takes (`without`)."""
    lists = page.request.GET.lists()
    kept = [(name, value) for name, values in lists if name not in (*_OWN, DRAFT, *without) for value in values]
    return urlencode(kept)


def list_url(page: ConfigPage, without: Collection[str] = ()) -> str:
    """The list as it was when the traders were chosen."""
    return "?".join(filter(None, (page.list_url, list_filter(page, without))))


def nobody_chosen(page: ConfigPage) -> HttpResponse:
    messages.warning(page.request, _("Choose at least one trader: tick it in the list."))
    return HttpResponseRedirect(list_url(page))
