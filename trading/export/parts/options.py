"""The options of an export."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True)
class Options:
    """`trades`, `conversations` and `account_rows` limit the documents, for the whole fleet; `delay_ms` is how late the
    API shows a run; runs are kept at least that long."""

    root: Path
    trades: int = 2_500
    conversations: int = 200
    account_rows: int = 20_000
    start_capital: Decimal = Decimal(10_000)
    is_withheld: bool = False
    delay_ms: int = 0

    @classmethod
    def configured(cls, root: Path | None = None) -> Options:
        return cls(
            root=root or settings.EXPORT_DIR,
            trades=settings.EXPORT_TRADES,
            conversations=settings.EXPORT_CONVERSATIONS,
            account_rows=settings.EXPORT_ACCOUNT_ROWS,
            start_capital=Decimal(settings.EXPORT_START_CAPITAL),
            is_withheld=not settings.EXPORT_PROMPTS,
            delay_ms=settings.API_DELAY_MINUTES * 60_000,
        )
