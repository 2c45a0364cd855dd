"""Conversations: one capped list a trader.

Another layout may keep a String under the same name. While that may still be written the list lives aside, under a
name in the same slot of a cluster; it gets its own name afterwards. Readers look for a list first under its own name
and then aside, in one script, so that they never see the moment in between.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from trading.live.keys import CONVERSATIONS, beside
from trading.live.redis import codec, hashes, scripts
from trading.live.redis.outage import Client
from trading.live.redis.reads import counts
from trading.schema.live_store.limits import MOST_CONVERSATIONS
from trading.schema.live_store.values import Conversation

ASIDE = "list"


def names(trader_id: str) -> tuple[str, str]:
    """The list's own name, and its name aside."""
    own = CONVERSATIONS.named(trader_id)
    return own, beside(own, ASIDE)


def put(client: Client, lists: Mapping[str, Sequence[Conversation]], *, aside: bool) -> int:
    """Replaces lists and returns their number; an older or empty list changes nothing."""
    done = scripts.in_one_trip(
        client,
        [
            (scripts.REPLACE_LIST, names(trader_id), arguments(items, aside=aside))
            for trader_id, items in lists.items()
            if items
        ],
    )
    replaced = 0
    for result in done:
        if isinstance(result, Exception):
            raise result
        counts.kept(CONVERSATIONS.name, result[0])
        replaced += result[1]
    return replaced


def drops(
    trader_ids: Collection[str], as_of: int, *, aside: bool
) -> list[tuple[scripts.Script, Sequence[str], list[Any]]]:
    """The calls that take these traders' lists away unless they are newer than `as_of` (microseconds).

    `aside`: with a String that stands under the list's own name.
    """
    return [(scripts.DROP_LIST, names(trader_id), [as_of, "aside" if aside else ""]) for trader_id in trader_ids]


def arguments(items: Sequence[Conversation], *, aside: bool) -> list[Any]:
    kept = items[:MOST_CONVERSATIONS]
    return ["aside" if aside else "", *codec.encode_list(kept, hashes.compress_from(CONVERSATIONS))]


def get(client: Client, trader_ids: Collection[str]) -> dict[str, list[bytes]]:
    """Undecoded conversations, newest first, of traders that have any. One round trip."""
    wanted = list(trader_ids)
    found = scripts.in_one_trip(client, [(scripts.READ_LIST, names(trader_id), ()) for trader_id in wanted])
    for items in found:
        if isinstance(items, Exception):
            raise items
    return {trader_id: items for trader_id, items in zip(wanted, found, strict=True) if items}
