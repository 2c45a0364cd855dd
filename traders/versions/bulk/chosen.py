"""Which traders a page is about: those ticked on the list, or all that its filter matches."""

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

from traders.pages.desk import Desk
from traders.schema import jsonio

TRADER, ALL, CHOSEN, LEAVE, SEEN = "trader", "all", "chosen", "leave", "seen"
_OWN = (TRADER, ALL)


def chosen_ids(desk: Desk) -> list[str]:
    """In order of id. A page that is opened asks the list's filter or names traders; one that is posted names all.

    `leave` are those to be left out after all.
    """
    if desk.request.method == "POST":
        named, left = desk.request.POST.get(CHOSEN, "").split(), set(desk.request.POST.getlist(LEAVE))
        return [name for name in dict.fromkeys(named) if name not in left]
    if ALL in desk.request.GET:
        return matching_ids(desk)
    # An id holds no blanks: whatever else is asked for is carried through as one that does not exist.
    named = [re.sub(r"[\s\0]+", "_", name) for name in desk.request.GET.getlist(TRADER)]
    return sorted(dict.fromkeys(name for name in named if name))


def matching_ids(desk: Desk) -> list[str]:
    """The traders that the list would show on all its pages for this address."""
    request = copy.copy(desk.request)
    asked = QueryDict(mutable=True)
    for name, values in desk.request.GET.lists():
        if name not in _OWN:
            asked.setlist(name, values)
    request.GET = asked  # type: ignore[assignment]
    try:
        changes: Any = desk.admin.get_changelist_instance(request)
    except IncorrectLookupParameters:  # no filter of the list: nothing matches what cannot be understood
        return []
    return list(changes.queryset.order_by("pk").values_list("pk", flat=True))


def seen_versions(desk: Desk) -> Mapping[str, int]:
    """{config_id: version} of the preview that is now saved."""
    try:
        seen = jsonio.loads(desk.request.POST.get(SEEN, ""))
    except (ValueError, RecursionError):
        seen = None
    if not isinstance(seen, dict) or not all(type(number) is int for number in seen.values()):
        raise BadRequest("the versions seen are missing")
    return seen


def nobody_chosen(desk: Desk) -> HttpResponse:
    messages.warning(desk.request, _("Choose at least one trader: tick it in the list."))
    return HttpResponseRedirect(desk.list_url)
