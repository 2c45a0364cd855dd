"""Copies the old layout into the new one, round after round."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from trading.live.migration.mirror import Mirror, MirrorRound
from trading.live.redis.outage import Client, client, outage


@dataclass(frozen=True, slots=True)
class MirrorLook:
    """`round` None: Redis did not answer; the next look catches up."""

    round: MirrorRound | None

    @property
    def words(self) -> str:
        if self.round is None:
            return "Redis does not answer; trying again"
        lag = "nothing new" if self.round.lag_seconds is None else f"lag {self.round.lag_seconds:.2f} s"
        return f"{self.round.copied:,} copied, {self.round.emptied:,} emptied, {lag}"


def rounds() -> Iterator[MirrorLook]:
    """Endless rounds. Each look remembers the values that earlier looks copied."""
    mirror = Mirror(client())
    while True:
        done = outage.attempt(partial(_once, mirror), None, what="mirror")
        if done is None:
            # What it took for copied may not have arrived.
            mirror = Mirror(client())
        yield MirrorLook(done)


def _once(mirror: Mirror, _: Client) -> MirrorRound:
    return mirror.once()
