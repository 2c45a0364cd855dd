"""Routes of the pages of controls."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, reverse

from traders.controls.pages.fleet import CLOSE, RELEASE, STOP, fleet_view, may_release
from traders.controls.pages.trader import control_view, may_control
from traders.controls.words import kind_words
from traders.pages.config_page import may_stop
from traders.pages.guarded import guarded_path
from traders.schema.controls.rows import ControlKind

IN_ORDER = (
    *(ControlKind.STOP, ControlKind.DRAIN, ControlKind.PAUSE, ControlKind.RESUME, ControlKind.START),
    *(ControlKind.CLOSE, ControlKind.PIN, ControlKind.UNPIN, ControlKind.COOLDOWN, ControlKind.CLEAR_COOLDOWN),
)
_FLEET = {STOP: may_stop, CLOSE: may_release, RELEASE: may_release}


def control_urls(admin: Any) -> list[URLPattern]:
    """One page for each kind, so that each has its own right."""
    return [
        *(
            guarded_path(
                admin,
                f"control/{kind}/",
                partial(control_view, kind=kind),
                f"traders_control_{kind}",
                partial(may_control, kind=kind),
            )
            for kind in IN_ORDER
        ),
        *(
            guarded_path(admin, f"fleet-{what}/", partial(fleet_view, what=what), f"traders_fleet_{what}", allowed)
            for what, allowed in _FLEET.items()
        ),
    ]


def selection_buttons(request: HttpRequest) -> list[tuple[str, str]]:
    """(address, words) of the controls that the account may ask of chosen traders."""
    return [
        (reverse(f"admin:traders_control_{kind}"), kind_words(kind)) for kind in IN_ORDER if may_control(request, kind)
    ]
