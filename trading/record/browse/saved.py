"""Filters of the record's lists that people keep: saved by name, shown above the list, removed again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trading.models import SavedFilter
from trading.record.browse.admin import filter_form
from trading.record.browse.listings import RecordListing
from trading.record.pages import RecordPage

MOST = 30
"""Of one person and list: more are no help above a list."""
LONGEST_NAME = 60
LONGEST_QUERY = 4_000


@dataclass(frozen=True, slots=True)
class ShownFilter:
    """`url` shows the list with it, for anyone who may see the list."""

    id: int
    name: str
    url: str
    is_chosen: bool


class SavedFilterForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)
    query = forms.CharField(required=False, max_length=LONGEST_QUERY, widget=forms.HiddenInput)


def shown_filters(request: HttpRequest, page: str, query: str) -> list[ShownFilter]:
    """Of this account alone. `query` is that of the list as it is shown."""
    found = SavedFilter.objects.filter(user=request.user.pk, page=page).order_by("name")
    return [ShownFilter(one.pk, one.name, f"?{one.query}", one.query == query) for one in found]


def save_view(page: RecordPage, listing: RecordListing) -> HttpResponse:
    """Saves what the list shows, under a new name or in the place of that name's filter."""
    request, form = page.request, SavedFilterForm(page.request.POST)
    if not form.is_valid():
        for problems in form.errors.values():
            messages.error(request, _("The filter was not saved: %(why)s") % {"why": " ".join(map(str, problems))})
        return HttpResponseRedirect(page.list_url)
    given = QueryDict(form.cleaned_data["query"])
    query = query_of(listing, given)
    name, own = form.cleaned_data["name"], SavedFilter.objects.filter(user=request.user.pk, page=_name(page))
    if not query:
        messages.error(request, _("The filter was not saved: nothing is filtered or sorted."))
    elif not filter_form(given, listing).is_valid():
        messages.error(request, _("The filter was not saved: the list cannot be filtered by it."))
    elif not own.filter(name=name).exists() and own.count() >= MOST:
        messages.error(
            request, _("The filter was not saved: you have %(n)d of this list. Remove one first.") % {"n": MOST}
        )
    else:
        account: Any = request.user
        own.update_or_create(user=account, page=_name(page), name=name, defaults={"query": query})
        messages.success(request, _("The filter “%(name)s” is saved.") % {"name": name})
    return HttpResponseRedirect(f"{page.list_url}?{query}")


def remove_view(page: RecordPage, filter_id: int) -> HttpResponse:
    """Another person's is none of this account's, and stays."""
    own = SavedFilter.objects.filter(user=page.request.user.pk, page=_name(page), pk=filter_id)
    name = own.values_list("name", flat=True).first()
    if name is None:
        messages.warning(page.request, _("There is no such filter. It may have been removed already."))
    else:
        own.delete()
        messages.success(page.request, _("The filter “%(name)s” is removed.") % {"name": name})
    return HttpResponseRedirect(page.list_url)


def query_of(listing: RecordListing, given: QueryDict) -> str:
    """The filter and the order of an address, without the place in the list and without names that mean nothing."""
    asked = listing.form.asked_in(given)
    return urlencode({**asked, **({ORDER_VAR: given[ORDER_VAR]} if given.get(ORDER_VAR) else {})})


def _name(page: RecordPage) -> str:
    return str(page.admin.opts.model_name)
