"""What the application's role may not do, table by table: the rules of the triggers that refuse changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DELETE, UPDATE, TRUNCATE = "DELETE", "UPDATE", "TRUNCATE"


@dataclass(frozen=True, slots=True)
class Refused:
    """`privileges` are taken away; of UPDATE, `columns` may still be written."""

    privileges: tuple[str, ...]
    columns: tuple[str, ...] = ()


_NEVER_DELETED = Refused((DELETE, TRUNCATE))
_APPEND_ONLY = Refused((UPDATE, DELETE, TRUNCATE))
# A row that is set aside gets its mark, and nothing else of it changes.
_MARKED_ONLY = Refused((UPDATE, DELETE, TRUNCATE), columns=("exclusion_id",))

REFUSED: Mapping[str, Refused] = {
    **dict.fromkeys(("trades", "decision_journal"), _MARKED_ONLY),
    **dict.fromkeys(
        (
            *("conversation_messages", "equity_transfers", "record_exclusions"),
            *("trader_config_versions", "manager_config_versions", "config_write_versions"),
            *("prompt_texts", "trader_controls", "trader_control_acks"),
        ),
        _APPEND_ONLY,
    ),
    **dict.fromkeys(
        ("positions", "alarms", "api_tokens", "config_writes", "manager_config", "trader_config"), _NEVER_DELETED
    ),
    # A trigger counts the versions of a change set there.
    "config_change_set_paths": Refused((UPDATE, DELETE, TRUNCATE), columns=("configs", "raising")),
    # Entries older than AUDIT_KEEP_DAYS are deleted; a trigger keeps the others.
    "audit_entries": Refused((UPDATE, TRUNCATE)),
}


class NotHardenable(Exception):
    """The role cannot be held to the rules. The text says what to do."""
