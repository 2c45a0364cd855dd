"""The open positions of the fleet. A position is read again only when its row was written."""

from __future__ import annotations

from dataclasses import replace

from trading.export.parts.published import published
from trading.export.queries import positions as export_positions
from trading.export.queries.positions import OpenMark
from trading.record.stored.unreadable import collected, note
from trading.schema.position import PositionRecord
from trading.schema.unreadable import Unreadable


class OpenPositions:
    def __init__(self) -> None:
        self._marks: dict[str, OpenMark] = {}
        self._positions: dict[str, PositionRecord] = {}
        self._unreadable: dict[str, Unreadable] = {}

    def refresh(self) -> list[PositionRecord]:
        """In order of trader and symbol. Unreadable positions are noted each time."""
        marks = export_positions.open_marks()
        written = {one: mark.trader_id for one, mark in marks.items() if self._marks.get(one) != mark}
        with collected() as found:
            fresh = {
                position.id: replace(position, detail=published(position.detail, f"position {position.id}"))
                for position in export_positions.by_ids(written)
            }
        left_out = self._unreadable | {one.id: one for one in found.values()}
        self._positions = {
            one: position
            for one, mark in marks.items()
            if (position := fresh.get(one) or (self._positions.get(one) if self._marks.get(one) == mark else None))
        }
        self._unreadable = {one: left_out[one] for one in marks if one not in self._positions and one in left_out}
        self._marks = marks
        for row in self._unreadable.values():
            note(row)
        return list(self._positions.values())
