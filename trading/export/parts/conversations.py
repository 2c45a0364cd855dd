"""The last decisions and conversations, each read and written out once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from trading.export.documents.conversations import conversation_at_ms, conversation_item
from trading.export.documents.wire import document, encode, labelled
from trading.export.parts.labels import Labels
from trading.export.parts.published import published
from trading.export.queries import conversations as export_conversations
from trading.export.queries.conversations import Key
from trading.record.stored.unreadable import attempt, collected, note
from trading.schema.published import PublishedConversation
from trading.schema.unreadable import Unreadable

Item = tuple[tuple[int, str], bytes]
DECISIONS = "decision_journal"
# Readings in a row that may find further unreadable decisions after some were left out.
MOST_READINGS = 20


class ConversationItems:
    """`most` limits the whole fleet and is shared evenly; each trader has at least one."""

    def __init__(self, most: int, *, is_withheld: bool) -> None:
        self._most = most
        self._is_withheld = is_withheld
        self._items: dict[Key, Item] = {}
        self._unreadable: dict[tuple[str, str], Unreadable] = {}

    def look_again(self) -> None:
        """Tries unreadable rows again: they may have been set aside."""
        self._unreadable = {}

    def refresh(self, traders: int) -> None:
        """Unreadable ones are noted each time, and older ones replace them."""
        of_each = max(1, self._most // max(traders, 1))
        fresh: dict[Key, Item] = {}
        for _ in range(MOST_READINGS):
            left_out = {int(row_id) for table, row_id in self._unreadable if table == DECISIONS}
            keys = export_conversations.recent_keys(of_each, but=left_out)
            with collected() as found:
                unread = {key: owner for key, owner in keys.items() if key not in self._items | fresh}
                fresh |= self._made(export_conversations.load(unread))
            self._unreadable |= found
            if not any(table == DECISIONS for table, _ in found):
                break
        self._items = {key: item for key in keys if (item := fresh.get(key) or self._items.get(key)) is not None}
        for row in self._unreadable.values():
            note(row)
        export_conversations.note_misdated()

    def _made(self, conversations: Mapping[Key, PublishedConversation]) -> dict[Key, Item]:
        made = {}
        for key, conversation in conversations.items():
            table, row_id = (DECISIONS, key[0]) if key[0] is not None else ("conversation_messages", key[1][0])
            item = attempt(table, str(row_id), partial(self._item, conversation))
            if item is not None:
                made[key] = item
        return made

    def _item(self, conversation: PublishedConversation) -> Item:
        item = published(
            conversation_item(conversation, is_withheld=self._is_withheld),
            f"a conversation of {conversation.trader_id}",
        )
        return (conversation_at_ms(conversation) or 0, conversation.trader_id), encode(item)

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple(self._items)

    def render(self, labels: Labels, as_of_ms: int) -> bytes:
        """The encoded items in order of time."""
        ordered = sorted(self._items.values(), key=lambda item: item[0])
        rows = (labelled(encoded, labels[trader_id]) for (_, trader_id), encoded in ordered)
        return document("conversations", rows, serverTime=as_of_ms)
