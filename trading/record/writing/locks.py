"""The lock under which a trader's positions and trades are looked up and written.

Taken before any of their rows. Programs that record the same row at the same moment wait for each other here, and the
later program finds the row of the earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable

from traders.database import sql

# In order of id, so that no two wait for each other. MATERIALIZED keeps the order.
_LOCK = """
WITH traders AS MATERIALIZED (SELECT id FROM unnest(%s::text[]) AS t (id) ORDER BY id)
SELECT pg_advisory_xact_lock(hashtext('nof0.record'), hashtext(id)) FROM traders
"""


def lock_record(trader_ids: Iterable[str]) -> None:
    """Holds the lock until the transaction ends."""
    sql.rows(_LOCK, [sorted(set(trader_ids))])
