"""What the public documents are built from beside trades, positions and decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from math import cos, pi, sin
from typing import Any

from trading.schema.contract import TRADER
from trading.schema.decision import JournalEntry, RecordedDecision
from trading.schema.message import DecisionMessage, MessageRecord

# In OKLCH, where equal lightness looks equal, whatever the hue. What sRGB cannot show of this chroma is cut.
_LIGHTNESS, _CHROMA = 0.565, 0.13
# The relative luminance whose contrast with white and with black is the same, 4.58.
_LUMINANCE = (1.05 * 0.05) ** 0.5 - 0.05


@dataclass(frozen=True, slots=True)
class TraderLabel:
    """Who a trader is, beside its id. `llm_model` is None where the trader has the site's default model; `version` is
    that of its configuration now. `paper_only` is there for paper variants: sums of the fleet leave them out."""

    display_name: str
    llm_model: str | None
    version: int | None
    color: str
    paper_only: bool = False

    def fields(self) -> dict[str, Any]:
        found = asdict(self)
        if not self.paper_only:
            del found["paper_only"]
        return found


def label_of(
    trader_id: str,
    *,
    display_name: str | None = None,
    llm_model: str | None = None,
    version: int | None = None,
    paper_only: bool = False,
) -> TraderLabel:
    return TraderLabel(display_name or trader_id, llm_model or None, version, color_of(trader_id), paper_only)


@lru_cache(maxsize=10_000)
def color_of(trader_id: str) -> str:
    """`#rrggbb`, always the same for an id; it reads on white and on black alike."""
    hue = int.from_bytes(sha256(trader_id.encode()).digest()[:4]) / 2**32 * 2 * pi
    rgb = _linear_rgb(_LIGHTNESS, _CHROMA * cos(hue), _CHROMA * sin(hue))
    scale = _LUMINANCE / relative_luminance(rgb)
    return "#" + "".join(f"{round(255 * _gamma(part * scale)):02x}" for part in rgb)


def relative_luminance(rgb: tuple[float, float, float]) -> float:
    """Of linear parts from 0 to 1, as WCAG defines it."""
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]


def without_label(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _LABEL_FIELDS}


def is_own_row(row: Mapping[str, Any], owner: str = TRADER) -> bool:
    """Whether an export of ours wrote it: it has the trader's colour. `owner` is the field of the trader's id."""
    trader_id = row.get(owner)
    return isinstance(trader_id, str) and row.get("color") == color_of(trader_id)


def without_own_label(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row that an export of ours wrote, as it was before it was labelled."""
    return without_label(row) if is_own_row(row) else row


_LABEL_FIELDS = frozenset(one.name for one in fields(TraderLabel))


def _linear_rgb(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    """From OKLab, by the matrices of its definition (Björn Ottosson, 2020)."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        max(0.0, 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        max(0.0, -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        max(0.0, -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def _gamma(part: float) -> float:
    """Of sRGB; `part` is linear, 0 to 1."""
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


@dataclass(frozen=True, slots=True)
class Standing:
    """A trader since its beginning. `won` and `lost` are the sums of net gains and net losses (0 or less) in USD;
    `invocations` counts the calls of its model; `equity` and `start_equity` are None where they are not known."""

    trader_id: str
    is_retired: bool = False
    trades: int = 0
    wins: int = 0
    losses: int = 0
    won: Decimal = Decimal(0)
    lost: Decimal = Decimal(0)
    invocations: int = 0
    start_equity: Decimal | None = None
    equity: Decimal | None = None
    inception_ms: int | None = None
    sharpe: float | None = None
    # With transfers the return is time-weighted, and not told by the two equities.
    has_transfers: bool = False
    weighted_return_pct: Decimal | None = None

    @property
    def return_pct(self) -> Decimal | None:
        if self.has_transfers:
            return self.weighted_return_pct
        if self.equity is None or not self.start_equity or self.start_equity < 0:
            return None
        return 100 * (self.equity - self.start_equity) / self.start_equity


@dataclass(frozen=True, slots=True)
class AccountPoint:
    """A trader's account at a moment. The realized part of its equity is None where it is not known."""

    trader_id: str
    ts_ms: int
    equity: Decimal
    realized: Decimal | None = None
    unrealized: Decimal | None = None
    # Made of trades: of this moment no equity was recorded.
    is_derived: bool = False


@dataclass(frozen=True, slots=True)
class PricePoint:
    """What a symbol cost at a moment, in USD."""

    ts_ms: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class PublishedConversation:
    """A decision with the messages that belong to it, or messages that belong to none; one of both is there."""

    trader_id: str
    decision: RecordedDecision | None
    messages: tuple[MessageRecord, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ConversationEntry:
    """A decision about to be recorded, with the messages that led to it."""

    trader_id: str
    entry: JournalEntry
    messages: tuple[DecisionMessage, ...] = field(default=())
