"""The page Live store: the keys of Redis, their ages, what was verified, and the switch-over. For admins."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.accounts.audited import actor_of
from traders.audit import writer as audit
from traders.audit.rules import AuditKind
from traders.schema import messages as texts
from traders.words import messages as words
from traders.words.messages import translated
from trading.live import services as live
from trading.live.migration.modes import LayoutMode
from trading.live.page.outage import seen_status
from trading.live.redis.mode import ModeState
from trading.live.switch import services as live_switch
from trading.live.upkeep import verify as live_verify
from trading.record.pages import RecordPage
from trading.record.rules.errors import RecordError

URL = "admin:trading_position_live_store"
SHARES = (0, 10, 25, 50, 100)
# The value of a form that does not name its mode.
NO_REVISION = -1


@dataclass(frozen=True)
class LiveStep:
    """A button. `warning` is its effect on current readers and writers."""

    name: str
    label: str
    warning: str = ""


def store_view(page: RecordPage) -> HttpResponse:
    """Of an account that may switch."""
    seen = seen_status()
    status = seen.status
    return page.render(
        "live_store.html",
        _("Live store"),
        seen=seen,
        status=status,
        bytes=sum(key.bytes for key in status.keys) if status else 0,
        steps=_steps(status.mode) if status else [],
        shares=SHARES if status and status.mode.mode == LayoutMode.DUAL else (),
    )


def switch_view(request: HttpRequest) -> HttpResponse:
    """Takes one step and shows its result. Does nothing if the mode has changed since the page was shown."""
    step, seen = request.POST.get("step", ""), request.POST.get("seen", "")
    try:
        state = live_switch.current(seen=int(seen) if seen.isdecimal() else NO_REVISION)
        # Before the step, since Redis has no part in the transaction: a step that cannot be noted is not taken.
        audit.note(AuditKind.LIVE_STORE, actor=actor_of(request.user), text=f"{step} in mode {state}"[:200])
        messages.success(request, _take(step, state.revision, request.POST.get("percent", "")))
    except (RecordError, ValueError) as refused:
        messages.error(request, words.why(refused))
    return HttpResponseRedirect(reverse(URL))


def _steps(state: ModeState) -> list[LiveStep]:
    both = [LiveStep("verify", _("Verify")), LiveStep("rebuild", _("Rebuild"))]
    if state.mode == LayoutMode.LEGACY:
        return [*both, LiveStep("dual", _("Write both layouts"))]
    if state.mode == LayoutMode.DUAL:
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
            raise RecordError(texts._("Redis does not answer; nothing was replaced."))
        return _("%(n)d traders filled from PostgreSQL.") % {"n": traders}
    if step == "cleanup":
        return _("%(n)d old keys removed.") % {"n": live_switch.clean_up(seen=seen).total}
    return _("Mode: %(mode)s. Every process follows.") % {
        "mode": translated(_switched(step, seen, percent).state.words)
    }


def _switched(step: str, seen: int, percent: str) -> live_switch.SwitchStep:
    if step == "dual":
        return live_switch.enter_dual(seen=seen)
    if step == "cutover":
        return live_switch.cutover(seen=seen)
    if step == "rollback":
        return live_switch.rollback(seen=seen)
    if step == "share" and percent in map(str, SHARES):
        return live_switch.to_mode(LayoutMode.DUAL, read_new_pct=int(percent), seen=seen)
    raise ValueError(_("Choose one of the steps."))
