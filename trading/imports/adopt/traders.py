"""The traders that the other database names, and whether ids can be mapped to others."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from traders.schema.messages import _
from trading.imports.adopt.source import Source, UnreadableSource

# (table, column of its trader), whichever of them there is.
_OF_RECORDS = (
    *(("trades", "model_id"), ("trades", "trader_id"), ("positions", "model_id"), ("positions", "trader_id")),
    *(("decision_cycles", "model_id"), ("decision_cycles", "trader_id"), ("conversations", "model_id")),
    *(("conversation_messages", "trader_id"), ("account_equity_snapshots", "model_id")),
    ("trader_config_history", "trader_id"),
)
_OF_SNAPSHOTS = "SELECT DISTINCT provider AS name FROM account_snapshots WHERE is_trader"
_OF_NAMES = (("models", "id"), ("trader_config", "id"), ("trader_state", "trader_id"))


def traders_of(source: Source) -> set[str]:
    """Those of which there is a record or a version."""
    found = {name for place in _OF_RECORDS for name in distinct(source, *place)}
    if source.has("account_snapshots", "provider", "is_trader"):
        found |= {row["name"] for row in source.rows(_OF_SNAPSHOTS) if isinstance(row["name"], str)}
    return found


def require_ids(source: Source, ids: Mapping[str, str]) -> None:
    """`ids` is {trader there: trader here}. Raises UnreadableSource for a trader that is not there, and for two that
    would become one."""
    if not ids:
        return
    recorded = traders_of(source)
    known = recorded | {name for place in _OF_NAMES for name in distinct(source, *place)}
    for old, new in ids.items():
        if old not in known:
            raise UnreadableSource(
                _("--map %(old)s=%(new)s: the other database has no trader %(old)s", old=old, new=new)
            )
        if new in recorded and new not in ids:
            raise UnreadableSource(
                _(
                    "--map %(old)s=%(new)s: the other database has a trader %(new)s too, and two would become one;"
                    " give that one another id as well",
                    old=old,
                    new=new,
                )
            )


def distinct(source: Source, table: str, column: str) -> set[str]:
    """The texts in this column; none where there is no such column."""
    if not source.has(table, column):
        return set()
    asked = sql.SQL("SELECT DISTINCT {} AS name FROM {}").format(sql.Identifier(column), sql.Identifier(table))
    return {row["name"] for row in source.rows(asked) if isinstance(row["name"], str)}
