"""What previews, plans and syncs say of open positions beyond the limits that they change."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.controls import facts
from traders.controls.queries import pinned_versions
from traders.pages import seams
from traders.pages.seams import PositionsBeyond, TraderBeyond
from traders.schema.paths import ABSENT, Change
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.words import settings as words
from traders.words.messages import listed
from trading.limits import queries
from trading.limits.rules import COUNT, MARGIN, SYMBOLS, BeyondLimit, LimitedPosition, beyond_limits, touched

log = logging.getLogger(__name__)
PERMISSION = "trading.view_position"
TRADERS_SHOWN, POSITIONS_NAMED = 20, 5
"""The most that are named; all are counted."""


def positions_beyond(request: HttpRequest, changes: Mapping[str, Sequence[Change]]) -> SafeString | str:
    """Of the traders whose limits these changes move and that hold something. Empty where there are none."""
    if not request.user.has_perm(PERMISSION) or (found := found_beyond(changes)) is None:
        return ""
    beyond = sum(one.is_beyond for one in found.traders)
    context = {
        "traders": found.traders[:TRADERS_SHOWN],
        "more": len(found.traders[TRADERS_SHOWN:]),
        "beyond_count": beyond,
        "unknown_count": len(found.traders) - beyond,
        "checked_count": found.checked,
        "problem": found.problem,
    }
    return render_to_string("trading/parts/beyond_limits.html", context, request)


def found_beyond(changes: Mapping[str, Sequence[Change]]) -> PositionsBeyond | None:
    """None where the changes move no limit of a trader that holds something."""
    moved = {name: limits for name, found in changes.items() if (limits := touched(one.path for one in found))}
    if not moved:
        return None
    try:
        return _found(changes, moved)
    except Exception as error:
        # A preview must stay within reach whatever the record stumbles over, and say that it does not know.
        log.exception("Open positions cannot be compared with limits")
        return PositionsBeyond(problem=f"{type(error).__name__}: {error}")


def _found(changes: Mapping[str, Sequence[Change]], moved: Mapping[str, list[str]]) -> PositionsBeyond | None:
    # Of ten thousand traders a few hold something: only these are read.
    holding = sorted(facts.holding(list(moved)))
    if not holding:
        return None
    held, flats = queries.open_positions(holding), queries.limits_now(holding)
    equities = queries.equities(holding)
    pins = pinned_versions(holding)
    found = []
    for name in holding:
        after = {one.path: one.new for one in changes[name] if one.new is not ABSENT}
        limits = beyond_limits(flats.get(name, {}) | after, moved[name], held.get(name, ()), equities.get(name))
        if limits:
            lines = [line for one in limits for line in _lines(one)]
            found.append(TraderBeyond(name, lines, any(one.is_beyond for one in limits), pins.get(name)))
    found.sort(key=lambda one: (not one.is_beyond, one.trader_id))
    return PositionsBeyond(found, len(holding))


def _lines(one: BeyondLimit) -> list[str]:
    """A sentence of what exceeds the limit, and one of what cannot be checked."""
    setting = TRADER_SETTINGS[one.path]
    label, limit = words.place(TRADER_SETTINGS, one.path), words.value(setting, one.limit)
    said = []
    if one.path == COUNT and one.used is not None:
        text = ngettext(
            "%(setting)s: %(over)s of %(held)s exceed %(limit)s; no entry until none is open",
            "%(setting)s: %(over)s of %(held)s exceed %(limit)s; no entry until fewer than %(limit)s are open",
            one.limit,
        )
        said.append(text % {"setting": label, "over": one.held - one.limit, "held": one.held, "limit": limit})
    elif one.path == MARGIN and one.used is not None:
        used = words.number(Decimal(one.used).quantize(Decimal("0.01"))) if Decimal(one.used).is_finite() else "∞"
        text = _("%(setting)s: %(used)s %% of the equity is in use, the limit is %(limit)s; no entry until it is less")
        said.append(text % {"setting": label, "used": used, "limit": limit})
    elif one.path == SYMBOLS and one.beyond:
        text = _("%(setting)s: %(over)s of %(held)s are no longer allowed: %(names)s")
        said.append(text % {"setting": label, **_counts(one)})
    elif one.beyond:
        text = _("%(setting)s: %(over)s of %(held)s exceed %(limit)s: %(names)s")
        said.append(text % {"setting": label, "limit": limit, **_counts(one)})
    if one.unknown:
        said.append(_unknown(one, label))
    return said


def _counts(one: BeyondLimit) -> dict[str, Any]:
    return {"over": len(one.beyond), "held": one.held, "names": _named(one.beyond, one.path)}


def _unknown(one: BeyondLimit, label: str) -> str:
    why = _("the equity is not known") if one.without_equity else _("its size or leverage cannot be read")
    text = ngettext(
        "%(setting)s: %(n)s of %(held)s cannot be checked, %(why)s: %(names)s",
        "%(setting)s: %(n)s of %(held)s cannot be checked, %(why)s: %(names)s",
        len(one.unknown),
    )
    names = _named(one.unknown, "")
    return text % {"setting": label, "n": len(one.unknown), "held": one.held, "why": why, "names": names}


def _named(positions: Sequence[LimitedPosition], path: str) -> str:
    names = [_name(one, path) for one in positions[:POSITIONS_NAMED]]
    return listed([*names, *(["…"] if len(positions) > POSITIONS_NAMED else [])])


def _name(one: LimitedPosition, path: str) -> str:
    side = _("long") if one.side == "long" else _("short")
    figure = ""
    if path.endswith("leverage") and one.leverage is not None:
        figure = f" {words.number(one.leverage)}x"
    elif path and path != SYMBOLS and one.notional_usd is not None:
        figure = f" {words.number(one.notional_usd.quantize(Decimal('0.01')))} USD"
    return f"{one.symbol} {side}{figure}"


seams.positions_beyond.append(positions_beyond)
seams.found_beyond.append(found_beyond)
