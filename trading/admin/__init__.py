"""The pages of the record: lists, tickets, decisions, and what changes of a configuration led to."""

from __future__ import annotations

from trading.admin import beside_traders, record

__all__ = ["beside_traders", "record"]
