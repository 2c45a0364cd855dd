"""The names of the documents in files, in addresses and in the settings."""

from __future__ import annotations

from enum import StrEnum


class Document(StrEnum):
    CRYPTO_PRICES = "crypto-prices"
    ACCOUNT_TOTALS = "account-totals"
    POSITIONS = "positions"
    TRADES = "trades"
    SINCE_INCEPTION = "since-inception-values"
    LEADERBOARD = "leaderboard"
    ANALYTICS = "analytics"
    CONVERSATIONS = "conversations"


# How long a client may keep an answer, in seconds: as the dashboard's own proxy does.
MAX_AGE = {
    Document.CRYPTO_PRICES: 5,
    Document.ACCOUNT_TOTALS: 10,
    Document.POSITIONS: 10,
    Document.TRADES: 10,
    Document.SINCE_INCEPTION: 600,
    Document.LEADERBOARD: 60,
    Document.ANALYTICS: 300,
    Document.CONVERSATIONS: 30,
}
ANALYTICS_OF_ONE = "analytics/"


def of_trader(trader_id: str) -> str:
    return f"{ANALYTICS_OF_ONE}{trader_id}"


def document_of(name: str) -> Document:
    """`analytics/{trader_id}` belongs to `analytics`."""
    return Document(name.partition("/")[0])
