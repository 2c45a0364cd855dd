"""The open sessions of an account, with a button to end each."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.accounts.audited import actor_of
from traders.accounts.sessions.queries import mark_of, open_sessions
from traders.accounts.sessions.services import end

OTHERS = "others"


def sessions_view(request: HttpRequest, user: Any, *, may_end: bool) -> HttpResponse:
    """`user` may be the account of the request, or another one."""
    is_own = user.pk == request.user.pk
    current = request.session.session_key if is_own else None
    if request.method == "POST" and may_end:
        chosen = request.POST.get("end", "")
        mark = "" if chosen == OTHERS else chosen or "none"
        _say(request, end(user, actor=actor_of(request.user), mark=mark, but=current))
        return HttpResponseRedirect(request.path)
    found = open_sessions(user)
    this = mark_of(current)
    context = {
        **admin.site.each_context(request),
        "title": _("Your sessions") if is_own else _("Sessions of %(name)s") % {"name": user.get_username()},
        "sessions": found,
        "this": this,
        "others": [one for one in found if one.mark != this],
        "is_own": is_own,
        "account": user,
        "may_end": may_end,
    }
    return TemplateResponse(request, "traders/sessions.html", context)


def _say(request: HttpRequest, ended: int) -> None:
    if not ended:
        messages.info(request, _("That session has ended already."))
        return
    said = ngettext("%(n)d session was signed out.", "%(n)d sessions were signed out.", ended)
    messages.success(request, said % {"n": ended})
