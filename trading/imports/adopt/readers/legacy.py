"""The first generation (rows by model_id; migrations 001 to 004): its columns are the ones that the readers know."""

from __future__ import annotations

from trading.imports.adopt.readers.values import unchanged

position = trade = decision = equity = unchanged
