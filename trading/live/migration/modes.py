"""The modes of the switch-over, and the layouts that each writes."""

from __future__ import annotations

from enum import StrEnum

from trading.live.migration import old_assets
from trading.live.migration.old_layout import OldLayout
from trading.live.redis import codec, layouts
from trading.live.redis.new_layout import NewLayout


class LayoutMode(StrEnum):
    LEGACY = "legacy"
    DUAL = "dual"
    HASH = layouts.PRESENT


def register() -> None:
    """Makes the old layout known to the store: its modes, and its form of the assets."""
    codec.reads_also(old_assets.asset)
    old = OldLayout()
    layouts.register({LayoutMode.LEGACY: (old,), LayoutMode.DUAL: (NewLayout(lists_aside=True), old)}, old)
