"""The last decisions and conversations, each read and written out once."""

from __future__ import annotations

from trading.documents.conversations import conversation_item, talked_at_ms
from trading.documents.wire import document, encode
from trading.repositories import export_talks
from trading.repositories.export_talks import Key


class TalkItems:
    """`most` is of the whole fleet, shared evenly; of each trader at least one."""

    def __init__(self, most: int, *, is_withheld: bool) -> None:
        self._most = most
        self._is_withheld = is_withheld
        self._items: dict[Key, tuple[tuple[int, str], bytes]] = {}

    def refresh(self, traders: int) -> None:
        keys = export_talks.recent_keys(max(1, self._most // max(traders, 1)))
        loaded = export_talks.load([key for key in keys if key not in self._items])
        fresh = {
            key: (
                (talked_at_ms(talk) or 0, talk.trader_id),
                encode(conversation_item(talk, is_withheld=self._is_withheld)),
            )
            for key, talk in loaded.items()
        }
        self._items = {key: fresh.get(key) or self._items[key] for key in keys}

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple(self._items)

    def render(self, as_of_ms: int) -> bytes:
        """In order of time."""
        ordered = sorted(self._items.values(), key=lambda item: item[0])
        return document("conversations", [encoded for _, encoded in ordered], serverTime=as_of_ms)
