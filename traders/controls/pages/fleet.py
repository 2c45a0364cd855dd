"""The pages that stop the fleet and release it, and what the top bar of every page shows of it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from traders.controls import facts, queries
from traders.controls.pages.forms import CLOSE_WORD, RELEASE_WORD, FleetControlForm
from traders.controls.pages.presentation import PreviewShown
from traders.controls.pages.trader import CHANGE
from traders.controls.preview import MovedMeanwhile, fleet_control_as_seen, fleet_preview
from traders.controls.words import age
from traders.drafts import pages as drafts
from traders.pages import seams
from traders.pages.config_page import ConfigPage, may_stop
from traders.pages.preview_flow import is_save
from traders.schema.controls.rows import ControlKind
from traders.schema.problems import InvalidConfig

STOP, CLOSE, RELEASE = "stop", "close", "release"


def may_release(request: HttpRequest) -> bool:
    return request.user.has_perm(CHANGE)


def fleet_view(page: ConfigPage, *, what: str) -> HttpResponse:
    """`what`: stop, close (stop and close all), or release."""
    request, asks = page.request, is_save(page.request)
    kind = ControlKind.RELEASE if what == RELEASE else ControlKind.STOP
    word = {CLOSE: CLOSE_WORD, RELEASE: RELEASE_WORD}.get(what, "")
    form, moved = FleetControlForm(request.POST if asks else None, word=word), False
    if asks and form.is_valid():
        try:
            written = fleet_control_as_seen(
                kind,
                reason=form.cleaned_data["reason"],
                actor=page.actor,
                seen=request.POST.get("seen", ""),
                close_all=what == CLOSE,
            )
        except MovedMeanwhile:
            moved = True
        except InvalidConfig as invalid:
            form.add_problems(invalid.problems)
        else:
            is_new = any(row.is_new for row in written)
            messages.success(request, _said(what)) if is_new else messages.info(request, _("This stands already."))
            return drafts.ended(request, HttpResponseRedirect(page.list_url))
    shown = PreviewShown(fleet_preview(kind), title=_titles()[what])
    return page.render(
        "fleet_control.html",
        _titles()[what],
        shown=shown,
        form=form,
        moved=moved,
        what=what,
        stop=queries.fleet_stop(),
        may_close=may_release(request),
    )


def top_bar(request: HttpRequest) -> SafeString | str:
    """The fleet stop: its button, or while it holds a strip that says who, why and since when."""
    user = getattr(request, "user", None)
    if user is None or not user.has_perm("traders.view_traderconfig"):
        return ""
    stop = queries.fleet_stop()
    shown: dict[str, Any] = {"stop": stop, "may_stop": may_stop(request), "may_release": may_release(request)}
    if stop is not None:
        heard, running = queries.acknowledged_counts(stop.id, holding=facts.holding())
        shown |= {
            "age": age(stop.at, timezone.now()),
            "heard": heard,
            "running": running,
            "is_late": (timezone.now() - stop.at).total_seconds() > settings.CONTROL_ACK_SECONDS,
        }
    elif not shown["may_stop"]:
        return ""
    return render_to_string("traders/parts/fleet_stop.html", {**shown, "url": reverse("admin:traders_fleet_stop")})


seams.top_bar.append(top_bar)


def _titles() -> dict[str, str]:
    return {STOP: _("Stop the fleet"), CLOSE: _("Stop the fleet and close all"), RELEASE: _("Release the fleet")}


def _said(what: str) -> str:
    return {
        STOP: _("The fleet is stopped: no trader opens anything."),
        CLOSE: _("The fleet is stopped, and all open positions are to be closed."),
        RELEASE: _("The fleet stop is released."),
    }[what]
