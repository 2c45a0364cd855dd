"""The live store: what is in Redis and how old, what the fleet holds now, and the switch-over."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.schema.messages import verbatim
from traders.words import messages as words
from trading.live import services as live
from trading.live.migration.modes import Mode
from trading.live.page import now as live_now
from trading.live.redis.mode import ModeState
from trading.live.redis.outage import Unavailable
from trading.live.switch import services as live_switch
from trading.live.upkeep import status as live_status
from trading.live.upkeep import verify as live_verify
from trading.record.check.admin import unreadable_count
from trading.record.pages import RecordPage
from trading.record.rules.errors import RecordError

URL = "admin:trading_position_live"
# A longer table is not readable, and each row is sent again every few seconds.
MOST_POSITIONS = 200
SHARES = (0, 10, 25, 50, 100)
# Of a form that does not say which mode it was made for.
NO_REVISION = -1


@dataclass(frozen=True)
class LiveStep:
    """A button. `warning` says what it does to current readers and writers."""

    name: str
    label: str
    warning: str = ""


def live_view(page: RecordPage, *, may_switch: bool) -> HttpResponse:
    try:
        status = live_status.status()
    except Unavailable:
        status = None
    seen = live_now.now()
    return page.render(
        "live.html",
        _("Live"),
        status=status,
        bytes=sum(key.bytes for key in status.keys) if status else 0,
        held=seen.held[:MOST_POSITIONS],
        more=max(0, len(seen.held) - MOST_POSITIONS),
        prices=seen.prices,
        unreadable=unreadable_count(),
        steps=_steps(status.mode) if status and may_switch else [],
        shares=SHARES if status and may_switch and status.mode.mode == Mode.DUAL else (),
    )


def switch_view(request: HttpRequest) -> HttpResponse:
    """Takes one step and says what came of it; nothing where the page showed another mode than the one of now."""
    step, seen = request.POST.get("step", ""), request.POST.get("seen", "")
    try:
        state = live_switch.current(seen=int(seen) if seen.isdecimal() else NO_REVISION)
        messages.success(request, _take(step, state.revision, request.POST.get("percent", "")))
    except (RecordError, ValueError) as refused:
        messages.error(request, words.why(refused))
    return HttpResponseRedirect(reverse(URL))


def _steps(state: ModeState) -> list[LiveStep]:
    both = [LiveStep("verify", _("Verify")), LiveStep("rebuild", _("Rebuild"))]
    if state.mode == Mode.LEGACY:
        return [*both, LiveStep("dual", _("Write both layouts"))]
    if state.mode == Mode.DUAL:
        back = LiveStep("rollback", _("Back to the old layout"), _("Only the old layout is written from then on."))
        return [*both, LiveStep("cutover", _("Cut over"), _("Only the new layout is written from then on.")), back]
    back = LiveStep("rollback", _("Back to both layouts"), _("The old layout is filled and read again."))
    return [*both, LiveStep("cleanup", _("Remove the old layout"), _("Its keys are deleted.")), back]


def _take(step: str, seen: int, percent: str) -> str:
    if step == "verify":
        verdict = live_verify.verify()
        return _("%(n)d values compared, %(d)d differences.") % {"n": verdict.checked, "d": verdict.count}
    if step == "rebuild":
        traders = live.rebuild_all()
        if traders is None:
            raise RecordError(verbatim(_("Redis does not answer; nothing was replaced.")))
        return _("%(n)d traders filled from PostgreSQL.") % {"n": traders}
    if step == "cleanup":
        return _("%(n)d old keys removed.") % {"n": live_switch.clean_up(seen=seen).total}
    return _("Mode: %(mode)s. Every process follows.") % {"mode": _switched(step, seen, percent).state}


def _switched(step: str, seen: int, percent: str) -> live_switch.Step:
    if step == "dual":
        return live_switch.enter_dual(seen=seen)
    if step == "cutover":
        return live_switch.cutover(seen=seen)
    if step == "rollback":
        return live_switch.rollback(seen=seen)
    if step == "share" and percent in map(str, SHARES):
        return live_switch.to_mode(Mode.DUAL, read_new_pct=int(percent), seen=seen)
    raise ValueError(_("Choose one of the steps."))
