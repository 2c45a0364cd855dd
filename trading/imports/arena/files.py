"""Which files of the arena there are, and in what order they are read: what later ones refer to comes first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from traders.schema.messages import _
from trading.imports.arena import conversations, equity, positions, prices, trades
from trading.imports.arena.unreadable_file import UnreadableArenaFile


class ArenaKind(StrEnum):
    """In the order of reading. The journal is read before trades, which belong to the versions that it links."""

    PRICES = "crypto-prices.json"
    INCEPTION = "since-inception-values.json"
    TOTALS = "account-totals.json"
    CONVERSATIONS = "conversations.json"
    JOURNAL = "cycle_*.json"
    TRADES = "trades.json"
    POSITIONS = "positions.json"
    LEADERBOARD = "leaderboard.json"


NAMES = tuple(kind.value for kind in ArenaKind if kind is not ArenaKind.JOURNAL)


KEYS = {
    ArenaKind.PRICES: prices.KEY,
    ArenaKind.TRADES: trades.KEY,
    ArenaKind.POSITIONS: positions.KEY,
    ArenaKind.CONVERSATIONS: conversations.KEY,
    ArenaKind.TOTALS: equity.TOTALS_KEY,
    ArenaKind.INCEPTION: equity.INCEPTION_KEY,
    ArenaKind.LEADERBOARD: equity.LEADERBOARD_KEY,
}
_LEFT_ALONE = {
    "analytics.json": "it is not read: its content is computed from trades and decisions",
    "manifest.json": "it is not read: it says how an export was made",
}
_UNKNOWN = "is no file of the arena that is known, and was left alone"


@dataclass(frozen=True)
class FoundFiles:
    """`files` in the order of reading, the journal's as their directory; `notes` say of each other JSON file why it
    is left alone."""

    files: dict[ArenaKind, Path]
    notes: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """Of what is read as a stream."""
        return sum(path.stat().st_size for kind, path in self.files.items() if kind is not ArenaKind.JOURNAL)


def find(path: Path) -> FoundFiles:
    """The files of a directory, or a single one. Raises UnreadableArenaFile when there is nothing to import."""
    if not path.exists():
        raise UnreadableArenaFile(path, _("is not there; give a directory with the arena's files, or one of them"))
    files, notes = {}, []
    for found in sorted(path.glob("*.json")) if path.is_dir() else [path]:
        if found.name in NAMES:
            files[ArenaKind(found.name)] = found
        elif path.is_dir() and found.match(ArenaKind.JOURNAL.value):
            files[ArenaKind.JOURNAL] = path
        else:
            notes.append(f"{found.name}: {_LEFT_ALONE.get(found.name, _UNKNOWN)}")
    if not files:
        raise UnreadableArenaFile(
            path, _("must be a directory with one of %(names)s, or one of these files", names=", ".join(NAMES))
        )
    return FoundFiles({kind: files[kind] for kind in ArenaKind if kind in files}, tuple(notes))
