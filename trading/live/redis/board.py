"""The leaderboard: a ZSet, and beside it a hash that says when each score was true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trading.live.keys import LEADERBOARD, LEADERBOARD_AS_OF
from trading.live.redis import scripts
from trading.live.redis.outage import Client
from trading.schema.live_store.values import Leader

NAMES = (LEADERBOARD.name, LEADERBOARD_AS_OF)


def put(client: Client, leaders: Mapping[str, Leader]) -> int:
    """How many were taken over; a leader without a return leaves the board. An older as_of changes nothing."""
    return int(scripts.RANK.run(client, NAMES, *arguments(leaders)))


def arguments(leaders: Mapping[str, Leader]) -> list[Any]:
    found: list[Any] = []
    for trader_id, leader in leaders.items():
        found += trader_id, leader.as_of, "" if leader.return_pct is None else repr(leader.return_pct)
    return found


def get_all(client: Client) -> dict[str, Leader]:
    """Best first, only those on the board. A score without an age counts as from the beginning of time."""
    members, ages = scripts.together(
        client,
        [lambda p: p.zrange(NAMES[0], 0, -1, desc=True, withscores=True), lambda p: p.hgetall(NAMES[1])],
    )
    for found in (members, ages):
        if isinstance(found, Exception):
            raise found
    return {
        member.decode(errors="replace"): Leader(_as_of(ages.get(member)), float(score)) for member, score in members
    }


def _as_of(digits: bytes | None) -> int:
    return int(digits) if digits and digits.isdigit() else 10**15
