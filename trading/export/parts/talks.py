"""The last decisions and conversations, each read and written out once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from trading.export.documents.conversations import conversation_item, talked_at_ms
from trading.export.documents.wire import document, encode
from trading.export.parts.published import published
from trading.export.queries import talks as export_talks
from trading.export.queries.talks import Key
from trading.record.stored.unreadable import attempt, collected, note
from trading.schema.published import Talk
from trading.schema.unreadable import Unreadable

Item = tuple[tuple[int, str], bytes]
DECISIONS = "decision_journal"
# Readings in a row that may find further unreadable decisions in the place of those just left out.
MOST_READINGS = 20


class TalkItems:
    """`most` is of the whole fleet, shared evenly; of each trader at least one."""

    def __init__(self, most: int, *, is_withheld: bool) -> None:
        self._most = most
        self._is_withheld = is_withheld
        self._items: dict[Key, Item] = {}
        self._unreadable: dict[tuple[str, str], Unreadable] = {}

    def look_again(self) -> None:
        """At those that could not be read: they may have been set aside."""
        self._unreadable = {}

    def refresh(self, traders: int) -> None:
        """Those that cannot be read are noted each time, and older ones take their place."""
        of_each = max(1, self._most // max(traders, 1))
        fresh: dict[Key, Item] = {}
        for _ in range(MOST_READINGS):
            left_out = {int(row_id) for table, row_id in self._unreadable if table == DECISIONS}
            keys = export_talks.recent_keys(of_each, but=left_out)
            with collected() as found:
                fresh |= self._made(export_talks.load([key for key in keys if key not in self._items | fresh]))
            self._unreadable |= found
            if not any(table == DECISIONS for table, _ in found):
                break
        self._items = {key: item for key in keys if (item := fresh.get(key) or self._items.get(key)) is not None}
        for row in self._unreadable.values():
            note(row)
        export_talks.note_misdated()

    def _made(self, talks: Mapping[Key, Talk]) -> dict[Key, Item]:
        made = {}
        for key, talk in talks.items():
            table, row_id = (DECISIONS, key[0]) if key[0] is not None else ("conversation_messages", key[1][0])
            item = attempt(table, str(row_id), partial(self._item, talk))
            if item is not None:
                made[key] = item
        return made

    def _item(self, talk: Talk) -> Item:
        item = published(conversation_item(talk, is_withheld=self._is_withheld), f"a conversation of {talk.trader_id}")
        return (talked_at_ms(talk) or 0, talk.trader_id), encode(item)

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple(self._items)

    def render(self, as_of_ms: int) -> bytes:
        """In order of time."""
        ordered = sorted(self._items.values(), key=lambda item: item[0])
        return document("conversations", [encoded for _, encoded in ordered], serverTime=as_of_ms)
