"""Pages that undo a change set and restore the fleet to a moment."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.pages.config_page import ConfigPage
from traders.pages.moment_asked import asked_moment
from traders.versions.changelog import services as changelog
from traders.versions.changelog.forms import MOST
from traders.versions.past import services as as_of
from traders.versions.rules.errors import UnknownChangeSet
from traders.versions.undo import services as undo
from traders.versions.undo.pages import TakingBackTask, take_back_view
from traders.versions.undo.services import UndoProposal, UndoScope


def undo_view(page: ConfigPage, change_set: int) -> HttpResponse:
    try:
        line = changelog.line_of(min(change_set, MOST))
    except UnknownChangeSet:
        messages.warning(page.request, _("There is no change set %(n)d: choose one of these.") % {"n": change_set})
        return HttpResponseRedirect(reverse("admin:traders_changelog"))
    task = TakingBackTask(
        template="undo.html",
        title=_("Undo change set %(n)d") % {"n": change_set},
        extent=partial(undo.extent_of, change_set),
        propose=lambda scope: undo.propose_undo(change_set=change_set, scope=scope),
        save=partial(undo.undo, change_set=change_set),
        context={"line": line},
    )
    return take_back_view(page, task)


def restore_to_view(page: ConfigPage) -> HttpResponse:
    """`?at=`: everything, or what is chosen, as it stood then."""
    moment = asked_moment(page)
    if moment is None:
        return HttpResponseRedirect(page.list_url)
    task = TakingBackTask(
        template="restore_to.html",
        title=_("Restore the fleet to a moment"),
        extent=partial(undo.extent_since, moment),
        propose=partial(_proposed, moment),
        save=partial(undo.restore_to, moment=moment),
        context={"moment": moment, "made_since": as_of.made_since(moment)},
    )
    return take_back_view(page, task)


def _proposed(moment: datetime, scope: UndoScope) -> UndoProposal:
    """What differs from then was touched since, so nothing is contested by itself."""
    return UndoProposal(undo.propose_restore_to(moment=moment, scope=scope), {}, ())
