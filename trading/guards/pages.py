"""The section of guards on the settings pages of a trader and of the fleet."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from traders.controls.pages.trader import control_url, may_control
from traders.manager_yaml.file import InvalidFile
from traders.pages import seams
from traders.pages.config_page import ConfigPage
from traders.schema.controls.rows import ControlKind
from traders.words.messages import translated, why
from trading.guards import fleet, services
from trading.guards.rules.names import GUARDS, GuardName, LiftedBy
from trading.guards.rules.standing import GuardStanding
from trading.guards.services import TraderGuards
from trading.schema.exclusion import equity_id

log = logging.getLogger(__name__)
_PERMISSION = "trading.view_equitysnapshot"
_NEAR = 0.8
_MOST_UNDERLYINGS = 10
_BY_A_ROW = (LiftedBy.NEXT_DAY, LiftedBy.PERSON)
"""What only a pause brings about; the others follow from the figures themselves."""


@dataclass(frozen=True, slots=True)
class GuardBar:
    """`width` of the bar is 0 to 100. `is_held`: its pause bans entries now. `lifts` is empty where nothing is to be
    lifted: a person may have resumed a trader that is still in breach."""

    label: str
    figures: str
    width: int
    is_breached: bool
    is_near: bool
    is_held: bool
    lifts: str


def section(page: ConfigPage) -> SafeString | str:
    """Of the guards that are on. Empty where none is on and none holds anything."""
    request, config_id = page.request, page.config_id
    if not request.user.has_perm(_PERMISSION):
        return ""
    try:
        context = _of_fleet() if page.is_fleet else _of_trader(page)
    except InvalidFile as refused:
        context = {"problem": why(refused)}
    except Exception as error:
        # Whatever a guard stumbles over, the settings that would mend it stay within reach.
        log.exception("The guards of %s cannot be shown", config_id)
        context = {"problem": f"{type(error).__name__}: {error}"}
    return render_to_string("trading/parts/guards.html", context, request) if context else ""


def _of_trader(page: ConfigPage) -> dict[str, object]:
    request, trader_id = page.request, page.config_id
    state = page.control.state if page.control else None
    found = services.guards_of(trader_id, newest=page.current, state=state)
    bars = _bars(found.standings, held={one.cause for one in found.pauses})
    if not (bars or found.suspect or found.pauses):
        return {}
    return {
        "trader_id": trader_id,
        "bars": bars,
        "suspect": [(equity_id(trader_id, point.ts_ms), point) for point in found.suspect],
        "failed": [one for one in found.pauses if one.cause == GuardName.FAILED.cause],
        "lifted": _held_alone(request, trader_id, found),
    }


def _of_fleet() -> dict[str, object]:
    if not fleet.limits_are_set():
        return {}
    found = fleet.standings()
    net = sorted(found.net.values(), key=lambda one: -(one.used or Decimal(0)))
    shown = [found.loss, found.gross, *net[:_MOST_UNDERLYINGS], found.budget]
    return {"bars": _bars(shown, held=()), "unmarked": found.unmarked, "is_fleet": True}


def _bars(standings: Sequence[GuardStanding], held: Iterable[str | None]) -> list[GuardBar]:
    return [_bar(one, one.name.cause in held) for one in standings if one.is_on or one.name.cause in held]


def _bar(one: GuardStanding, is_held: bool) -> GuardBar:
    share = one.share or 0.0
    label = f"{translated(one.guard.label)} {translated(one.note)}" if one.note else translated(one.guard.label)
    return GuardBar(
        label=label,
        figures=translated(one.figures),
        width=round(min(max(share, 0.0), 1.0) * 100),
        is_breached=one.is_breached,
        is_near=share >= _NEAR,
        is_held=is_held,
        lifts=translated(one.lifts) if is_held or (one.is_breached and one.guard.lifted_by not in _BY_A_ROW) else "",
    )


def _held_alone(request: HttpRequest, trader_id: str, found: TraderGuards) -> list[dict[str, str]]:
    """The guard of each pause that holds without a breach: its label, its name for the command, and the address that
    resumes; empty for an account that may not."""
    guards = [GUARDS[name] for one in found.lifted for name in GUARDS if name.cause == one.cause]
    url = control_url(ControlKind.RESUME, trader_id) if may_control(request, ControlKind.RESUME) else ""
    return [
        {
            "label": translated(guard.label),
            "guard": guard.name.value,
            "url": url and f"{url}&{urlencode({'cause': guard.name.cause})}",
        }
        for guard in guards
    ]


seams.config_sections.append(section)
