"""The leaderboard: a ZSet, and beside it a hash that says when each score was true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trading.live.keys import LEADERBOARD, LEADERBOARD_AS_OF
from trading.live.redis import codec, scripts
from trading.live.redis.outage import Client
from trading.live.redis.reads import counts
from trading.schema.live_store.values import Leader

# The first moment that a value can name, in microseconds: of a score that another program wrote.
NO_MOMENT = 10**15
NAMES = (LEADERBOARD.name, LEADERBOARD_AS_OF)


def put(client: Client, leaders: Mapping[str, Leader]) -> int:
    """Writes leaders and returns how many were taken over; a leader without a return leaves the board. An older as_of
    changes nothing."""
    kept, done = scripts.RANK.run(client, NAMES, *arguments(leaders))
    counts.kept(LEADERBOARD.name, kept)
    return int(done)


def arguments(leaders: Mapping[str, Leader]) -> list[Any]:
    found: list[Any] = []
    for trader_id, leader in leaders.items():
        found += trader_id, leader.as_of, "" if leader.return_pct is None else repr(leader.return_pct)
    return found


def get_all(client: Client) -> dict[str, Leader]:
    """The leaders on the board, best first. A score without an age counts as from the beginning of time."""
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
    return int(digits) if digits and len(digits) == codec.AS_OF_DIGITS and digits.isdigit() else NO_MOMENT
