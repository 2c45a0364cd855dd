"""The months that `equity_snapshots` is divided into, in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

TABLE = "equity_snapshots"
BEFORE, LATER = f"{TABLE}_before", f"{TABLE}_later"
"""What lies before the first month, and behind the last one. With the months between they take every moment, so that no
row is ever without a place. A DEFAULT partition would do so too, and cost each newest point a look at every month."""
MONTHS_AHEAD = 2

_WRITTEN = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    year: int
    month: int

    @classmethod
    def of(cls, moment: datetime) -> Month:
        in_utc = moment.astimezone(UTC)
        return cls(in_utc.year, in_utc.month)

    @classmethod
    def of_ms(cls, ts_ms: int) -> Month:
        return cls.of(datetime.fromtimestamp(ts_ms / 1000, UTC))

    @classmethod
    def read(cls, text: str) -> Month:
        """Of `YYYY-MM`. Raises ValueError."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no month such as 2026-11")
        return cls(int(found[1]), int(found[2]))

    @property
    def next(self) -> Month:
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def begins_ms(self) -> int:
        return int(datetime(self.year, self.month, 1, tzinfo=UTC).timestamp()) * 1000

    @property
    def table(self) -> str:
        return f"{TABLE}_{self.year:04}_{self.month:02}"

    @property
    def detached_table(self) -> str:
        return f"equity_detached_{self.year:04}_{self.month:02}"

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


@dataclass(frozen=True, slots=True)
class EquityPart:
    """A partition with the points from `from_ms` on and before `to_ms`; None: without an end there. `rows` is the
    database's estimate."""

    table: str
    from_ms: int | None
    to_ms: int | None
    rows: int
    size_bytes: int

    @property
    def month(self) -> Month | None:
        return None if self.from_ms is None or self.to_ms is None else Month.of_ms(self.from_ms)


class CannotDivide(Exception):
    """Nothing was changed; the text says why."""
