"""The current state of the live store."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

from msgspec import structs

from traders.schema.messages import _
from trading.live.keys import CONVERSATIONS, KEYS, LEADERBOARD, RedisType
from trading.live.redis import board, codec, hashes, layouts, lists, mode, reads
from trading.live.redis.layout import Footprint
from trading.live.redis.mode import ModeState, follower
from trading.live.redis.outage import Client, demand, outage
from trading.live.upkeep import inspect, sharing, verdicts
from trading.live.upkeep.inspect import KeyStatus
from trading.live.upkeep.sharing import KeySharing
from trading.record.rules.errors import RecordError
from trading.schema.live_store.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class ReadsSoFar:
    """The reads of all processes since the control hash was made."""

    total: int
    fresh: int

    @classmethod
    def of(cls, reads: dict[str, dict[str, int]]) -> ReadsSoFar:
        counts = list(reads.values())
        return cls(sum(sum(one.values()) for one in counts), sum(one.get("fresh", 0) for one in counts))

    @property
    def fresh_pct(self) -> float | None:
        return 100 * self.fresh / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """`followers`: {process: the revision it follows}; `reads`: {key: {fresh, stale, missing, corrupt: count}};
    `sharing`: the other programs that write the keys."""

    mode: ModeState
    keys: tuple[KeyStatus, ...]
    old: Footprint
    followers: dict[str, int]
    reads: dict[str, dict[str, int]]
    failures: dict[str, int]
    verified: Verdict | None
    sharing: KeySharing

    @property
    def fresh_pct(self) -> float | None:
        """The share of reads that found a fresh value, in %."""
        return ReadsSoFar.of(self.reads).fresh_pct

    def json(self) -> dict[str, Any]:
        return {
            "mode": {"mode": str(self.mode.mode), "read_new_pct": self.mode.read_new_pct},
            "keys": [asdict(key) for key in self.keys],
            "old_layout": asdict(self.old),
            "followers": self.followers,
            "reads": self.reads,
            "fresh_pct": self.fresh_pct,
            "sharing": self.sharing.json(),
            "verified": structs.asdict(self.verified) | {"differences": []} if self.verified else None,
        }


def status() -> StoreStatus:
    """Raises Unavailable."""
    reads.counts.flush()
    return demand(_status)


def reads_so_far() -> ReadsSoFar:
    """As the control hash has them: reads of the last seconds are not added yet. Raises Unavailable."""
    return demand(lambda client: ReadsSoFar.of(_reads(inspect.control(client))))


def persisted() -> dict[str, int]:
    """{key: how often a write took another program's EXPIRE off it}; empty when Redis does not answer."""
    return outage.attempt(lambda client: sharing.persisted(inspect.control(client)), {}, what="read")


def _status(client: Client) -> StoreStatus:
    state, found, control = follower.current(now=True), tuple(inspect.statuses(client)), inspect.control(client)
    return StoreStatus(
        mode=state,
        keys=found,
        old=_old(client),
        followers={name: revision for name, (revision, _) in mode.followers(client).items()},
        reads=_reads(control),
        failures=dict(outage.failures),
        verified=verdicts.last(client),
        sharing=sharing.of(found, control, state.mode),
    )


def _old(client: Client) -> Footprint:
    found = [former.footprint(client) for former in layouts.former()]
    return Footprint(sum(one.keys for one in found), sum(one.bytes for one in found))


def _reads(control: dict[str, str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for field, count in control.items():
        if field.startswith(f"{reads.COUNTED}:") and count.isdigit():
            name, _, how = field.removeprefix(f"{reads.COUNTED}:").rpartition(":")
            found[name][how] = int(count)
    return dict(found)


def show(name: str, field: str | None) -> dict[str, str]:
    """{field: its JSON} of a key, of all its fields or of one. Raises RecordError for a missing key or field."""

    def work(client: Client) -> dict[str, str]:
        key = next((key for key in KEYS if name == key.name or _is_of(name, key.name)), None)
        if key is None:
            raise RecordError(
                _(
                    "%(name)s is no key of the live store; there are %(names)s",
                    name=repr(name),
                    names=", ".join(k.name for k in KEYS),
                )
            )
        if key is LEADERBOARD:
            found = {member: str(leader.return_pct) for member, leader in board.get_all(client).items()}
        elif key.kind is RedisType.HASH:
            raw = hashes.get(client, name, [field]) if field else hashes.get_all(client, name)
            found = {part: _text(one) for part, one in raw.items()}
        else:
            trader_id = name.removeprefix(CONVERSATIONS.named(""))
            items = lists.get(client, [trader_id]).get(trader_id, [])
            as_of = codec.as_of(items[0]) or 0 if items else 0
            found = {str(n): _text(codec.whole(one, CONVERSATIONS, as_of)) for n, one in enumerate(items)}
        wanted = {field: found[field]} if field in found else {} if field else found
        if not wanted:
            raise RecordError(
                _("there is nothing in %(name)s under %(field)s", name=name, field=repr(field))
                if field
                else _("there is nothing in %(name)s", name=name)
            )
        return dict(sorted(wanted.items())) if key.kind is RedisType.HASH else wanted

    return demand(work)


def _is_of(name: str, pattern: str) -> bool:
    start = pattern.partition("{")[0]
    return "{" in pattern and name.startswith(start) and len(name) > len(start)


def _text(raw: bytes) -> str:
    try:
        return codec.plain_text(raw)
    except codec.NotAValue as error:
        return f"(no value: {error})"
