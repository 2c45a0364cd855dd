"""The traders that a page of many works on: those ticked in the list, or all that its filter matches."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _

from traders.pages.config_page import ConfigPage
from traders.schema import jsonio

TRADER, ALL, CHOSEN, LEAVE, SEEN = "trader", "all", "chosen", "leave", "seen"
_OWN = (TRADER, ALL)


def chosen_ids(page: ConfigPage) -> list[str]:
    """In order of id. A page that is opened asks the list's filter or names traders; one that is posted names all.

    `leave` are those to be left out after all.
    """
    if page.request.method == "POST":
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
    try:
        changes: Any = page.admin.get_changelist_instance(request)
    except IncorrectLookupParameters:  # the address has a filter that the list does not know: no trader matches
        return []
    return list(changes.queryset.order_by("pk").values_list("pk", flat=True))


def seen_versions(page: ConfigPage) -> Mapping[str, int]:
    """{config_id: version} of the preview that is now saved."""
    try:
        seen = jsonio.loads(page.request.POST.get(SEEN, ""))
    except (ValueError, RecursionError):
        seen = None
    if not isinstance(seen, dict) or not all(type(number) is int for number in seen.values()):
        raise BadRequest("the versions seen are missing")
    return seen


def nobody_chosen(page: ConfigPage) -> HttpResponse:
    messages.warning(page.request, _("Choose at least one trader: tick it in the list."))
    return HttpResponseRedirect(page.list_url)
