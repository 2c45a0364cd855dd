"""One file of the arena: an object that holds its records under a known key, and mostly the time it was served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from traders.manager_yaml.yaml.source import UnreadableFile, open_regular
from traders.schema.jsonio import Json
from traders.schema.messages import _, message_of
from trading.imports.arena.stream import JsonSource, OnBytes
from trading.imports.arena.unreadable_file import UnreadableArenaFile

SERVER_TIME = "serverTime"


class ArenaDocument:
    """Iterated once, it gives (index, record). `server_time` is known when it was iterated to its end.

    Raises UnreadableArenaFile, perhaps after some records: an error shows when it is reached.
    """

    def __init__(self, path: Path, key: str, on_bytes: OnBytes) -> None:
        self.path, self.key = path, key
        self.server_time: Json = None
        self._on_bytes = on_bytes

    def __iter__(self) -> Iterator[tuple[int, Json]]:
        try:
            opened = open_regular(self.path)
        except UnreadableFile as error:
            raise UnreadableArenaFile(self.path, message_of(error)) from None
        with opened as file:
            source = JsonSource(self.path, file, self._on_bytes)
            seen: set[str] = set()
            if source.peek() != "{":
                source.broken(_("must be an object with the list %(key)s, as the arena serves it", key=repr(self.key)))
            for key in source.members():
                if key in seen:
                    source.broken(_("holds the key %(twice)s twice", twice=repr(key)))
                seen.add(key)
                if key == self.key:
                    yield from enumerate(self._records(source))
                elif key == SERVER_TIME and source.peek() not in "[{":
                    self.server_time = source.value()
                else:
                    source.skip()
            if self.key not in seen:
                source.broken(
                    _(
                        "the object must hold %(key)s, and does not: this is another file, or another form",
                        key=repr(self.key),
                    )
                )
            source.end()

    def _records(self, source: JsonSource) -> Iterator[Json]:
        """A list's items; an object's values each with its key: (key, value)."""
        if source.peek() == "[":
            yield from source.elements()
        elif source.peek() == "{":
            for key in source.members():
                yield key, source.value()
        else:
            source.broken(_("%(key)s must be a list of records", key=repr(self.key)))
