"""What the pages of controls show: previews in words, and the top bar."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.controls.facts import PositionNow
from traders.controls.preview import ASKED_NOW, ControlPreview, TraderPreview
from traders.controls.rules import WantedState
from traders.controls.words import causes_words, effect_words, kind_words
from traders.pages.changes import ChangeLine, digests_in, rows
from traders.pages.versions import prompt_bodies
from traders.schema.controls.rows import ControlKind
from traders.schema.paths import diff
from traders.versions import services as configs
from traders.words import settings as words
from traders.words.messages import listed

SHOWN, UNPINNING_SHOWN = 100, 20
"""The most traders that are shown in full, and whose settings are compared; all are counted."""


@dataclass(frozen=True)
class LineShown:
    """One trader: what is wanted now and after, why, and what it holds."""

    trader_id: str
    name: str
    now: str
    then: str
    why: list[str]
    positions: list[PositionShown]
    cooldowns: str


@dataclass(frozen=True)
class PositionShown:
    symbol: str
    side: str
    usd: str
    has_live_stop: bool


class PreviewShown:
    def __init__(self, preview: ControlPreview, *, title: str = "") -> None:
        self._preview = preview
        self.kind = preview.kind
        self.seen = preview.seen
        self.button = title or kind_words(preview.kind)
        self.lines = [_line(trader) for trader in preview.traders[:SHOWN]]
        self.more = max(0, len(preview.traders) - SHOWN)
        self.count = len(preview.traders)

    @property
    def is_stopping(self) -> bool:
        return self.kind in (ControlKind.STOP, ControlKind.DRAIN, ControlKind.PAUSE)

    @property
    def effect(self) -> str:
        """What the control does, whoever it is asked of."""
        return {
            ControlKind.STOP: _("No more decisions are made. Orders at the exchange stay."),
            ControlKind.DRAIN: _("Nothing is opened. Open positions are still watched and closed; then it stops."),
            ControlKind.PAUSE: _("Nothing is opened. Open positions are still watched and closed."),
            ControlKind.RESUME: _("Ends the pauses chosen. A guard's pause ends only by its own name."),
            ControlKind.START: _("Decisions are made again. A start lifts no pause, no fleet stop and no retirement."),
            ControlKind.CLOSE: _("Closes the positions named below, reduce-only, within 10 minutes; no newer ones."),
            ControlKind.PIN: _("The version chosen runs whole, whatever is saved later, until it is unpinned."),
            ControlKind.UNPIN: _("The newest version runs."),
            ControlKind.COOLDOWN: _("No entry in this symbol for so long. It replaces what an engine set."),
            ControlKind.CLEAR_COOLDOWN: _("Entries are allowed again in what is cleared."),
            ControlKind.RELEASE: _("Ends the fleet stop. It lifts no trader's stop or pause."),
        }[self.kind]

    @property
    def trades(self) -> str:
        """`2 of 3 traders will trade: a, b`; empty for what lets nobody trade."""
        if self.kind not in (ControlKind.START, ControlKind.RESUME, ControlKind.RELEASE):
            return ""
        names = [trader.trader_id for trader in self._preview.will_trade]
        if not names:
            return _("Nobody begins to trade by this.")
        said = {"n": len(names), "names": listed([*names[:10], *(["…"] if len(names) > 10 else [])])}
        return (
            ngettext("%(n)d trader will trade: %(names)s.", "%(n)d traders will trade: %(names)s.", len(names)) % said
        )

    @property
    def holds(self) -> str:
        """`3 positions stay open, 12,400 USD gross`."""
        count = len(self._preview.positions)
        if not count:
            return _("No position is open.")
        said = {"n": count, "usd": _usd(self._preview.gross_usd)}
        if self.kind is ControlKind.CLOSE:
            text = ngettext(
                "%(n)d position is open, %(usd)s USD gross", "%(n)d positions are open, %(usd)s USD gross", count
            )
        else:
            text = ngettext(
                "%(n)d position stays open, %(usd)s USD gross", "%(n)d positions stay open, %(usd)s USD gross", count
            )
        return text % said

    @property
    def unguarded(self) -> str:
        """`One has no live stop order`; empty where each has one."""
        count = self._preview.without_stop
        if not count:
            return ""
        return ngettext("%(n)d has no live stop order.", "%(n)d have no live stop order.", count) % {"n": count}


@dataclass(frozen=True)
class UnpinningShown:
    """What differs between the version that a trader is pinned to and its newest one."""

    trader_id: str
    pinned: int
    newest: int
    rows: list[ChangeLine]


def unpinning(preview: ControlPreview) -> list[UnpinningShown]:
    """Of the first pinned traders."""
    pinned = {
        one.trader_id: one.before.pinned_version for one in preview.traders if one.before.pinned_version is not None
    }
    names = dict(list(pinned.items())[:UNPINNING_SHOWN])
    older, newest = configs.versions(names), configs.active(list(names)) if names else {}
    changes = {name: diff(older[name].flat, newest[name].flat) for name in names}
    texts = prompt_bodies(digests_in(change for of_one in changes.values() for change in of_one))
    return [
        UnpinningShown(name, number, newest[name].version, rows(name, changes[name], texts=texts))
        for name, number in names.items()
    ]


def _line(trader: TraderPreview) -> LineShown:
    before, after = trader.before, trader.after
    now, then = effect_words(before), effect_words(after)
    if before.pin is not None or after.pin is not None:
        now, then = _with_version(now, before, trader.version), _with_version(then, after, trader.version)
    return LineShown(
        trader_id=trader.trader_id,
        name=trader.name,
        now=now,
        then=then,
        why=causes_words(after, beside=ASKED_NOW),
        positions=[_position(one) for one in trader.positions],
        cooldowns=listed(trader.cooldowns),
    )


def _with_version(what: str, state: WantedState, newest: int) -> str:
    """`running, v2`, `running, pinned to v1`."""
    if state.pin is None:
        return _("%(what)s, v%(n)d") % {"what": what, "n": newest}
    if state.pin.version is None:
        return _("%(what)s, pinned to the version chosen") % {"what": what}
    return _("%(what)s, pinned to v%(n)d") % {"what": what, "n": state.pin.version}


def _position(one: PositionNow) -> PositionShown:
    usd = "–" if one.notional_usd is None else _usd(one.notional_usd)
    side = _("long") if one.side == "long" else _("short")
    return PositionShown(one.symbol, side, usd, one.has_live_stop)


def _usd(amount: Decimal) -> str:
    return words.number(amount.quantize(Decimal(1)))
