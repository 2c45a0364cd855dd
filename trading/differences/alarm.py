"""The words of the alarm, for a report and for the watch."""

from __future__ import annotations

from traders.schema.messages import TranslatableText, _


def alarm_words(trader_id: str, count: int) -> TranslatableText:
    return _(
        "%(trader)s: %(count)s differences with the exchange are not settled; entries are banned",
        trader=trader_id,
        count=count,
    )
