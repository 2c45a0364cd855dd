"""What the fleet holds; a position is read again only where its row was written."""

from __future__ import annotations

from trading.repositories import export_positions
from trading.schema.position import Position


class OpenPositions:
    def __init__(self) -> None:
        self._marks: dict[str, str] = {}
        self._positions: dict[str, Position] = {}

    def refresh(self) -> list[Position]:
        """In order of trader and symbol."""
        marks = export_positions.open_marks()
        written = [one for one, mark in marks.items() if self._marks.get(one) != mark]
        fresh = {position.id: position for position in export_positions.by_ids(written)}
        self._positions = {one: fresh.get(one) or self._positions[one] for one in marks}
        self._marks = marks
        return list(self._positions.values())
