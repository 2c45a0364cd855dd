"""Pages that undo a change set and restore the fleet to a moment."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.pages.config_page import AT, ConfigPage, asked_moment
from traders.templatetags.display import moment_text
from traders.versions.bulk.chosen import ALL, TRADER
from traders.versions.changelog import services as changelog
from traders.versions.changelog.forms import MOST
from traders.versions.past import services as as_of
from traders.versions.past.forms import AsOfForm
from traders.versions.past.queries import Search
from traders.versions.rules.errors import UnknownChangeSet
from traders.versions.undo import services as undo
from traders.versions.undo.pages import UndoTask, undo_answer
from traders.versions.undo.services import UndoProposal, UndoScope

ALIKE_NAMED = 10
OF = "of"
"""In the address where the boxes of a list led here, ticked or not."""


def undo_view(page: ConfigPage, change_set: int) -> HttpResponse:
    try:
        line = changelog.line_of(min(change_set, MOST))
    except UnknownChangeSet:
        messages.warning(page.request, _("There is no change set %(n)d: choose one of these.") % {"n": change_set})
        return HttpResponseRedirect(reverse("admin:traders_changelog"))
    task = UndoTask(
        template="undo.html",
        title=_("Undo change set %(n)d") % {"n": change_set},
        extent=partial(undo.extent_of, change_set),
        propose=lambda scope: undo.propose_undo(change_set=change_set, scope=scope),
        save=partial(undo.undo, change_set=change_set),
        context={"line": line},
    )
    return undo_answer(page, task)


def restore_to_view(page: ConfigPage) -> HttpResponse:
    """`?at=`: everything, or the chosen settings, as of that moment. `?trader=` and `?all=` with the filter of the list
    of that moment name the traders that are ticked at first."""
    moment = asked_moment(page)
    if moment is None:
        return HttpResponseRedirect(page.list_url)
    listed = AsOfForm(page.request.GET)
    search = listed.search()
    chosen = _chosen(page, moment, search)
    list_then = f"{page.list_url}?{urlencode({AT: moment_text(moment), **listed.asked})}"
    if chosen is None and OF in page.request.GET:
        messages.warning(page.request, _("Choose at least one trader: tick it in the list."))
        return HttpResponseRedirect(list_then)
    extent = undo.extent_since(moment)
    alike = sorted(set(chosen).difference(extent.config_ids)) if chosen is not None else []
    task = UndoTask(
        template="restore_to.html",
        title=_("Restore the fleet to a moment"),
        extent=lambda: extent,
        propose=partial(_proposed, moment),
        save=partial(undo.restore_to, moment=moment),
        context={
            "moment": moment,
            "made_since": as_of.made_since(moment),
            "alike": alike[:ALIKE_NAMED],
            "alike_count": len(alike),
            "list_then": list_then,
        },
        chosen=chosen,
    )
    return undo_answer(page, task)


def _chosen(page: ConfigPage, moment: datetime, search: Search) -> Collection[str] | None:
    """None: nobody was chosen, so all are meant."""
    if ALL in page.request.GET:
        return as_of.matching_ids(moment, search)
    named = [name for name in page.request.GET.getlist(TRADER) if name]
    return named or None


def _proposed(moment: datetime, scope: UndoScope) -> UndoProposal:
    """Nothing is contested: everything that differs from that moment was changed after it."""
    return UndoProposal(undo.propose_restore_to(moment=moment, scope=scope), {}, ())
