"""What the columns of the record can hold."""

from __future__ import annotations

LARGEST_ID = 2**63 - 1
"""Of a bigint."""
