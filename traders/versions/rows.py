"""Rows of the version tables -> StoredConfig."""

from __future__ import annotations

from typing import Any

from traders.schema.settings.stored import StoredConfig, spec_of_row


def stored(version_row: Any) -> StoredConfig:
    """A row of trader_config_versions or manager_config_versions. Raises pydantic.ValidationError for a foreign
    shape."""
    return StoredConfig(
        version=version_row.version,
        spec=spec_of_row(version_row),
        changed_at=version_row.history_date,
        changed_by=version_row.history_user_id,
        reason=version_row.history_change_reason,
        source=version_row.source,
        change_set=version_row.change_set,
        changed_fields=tuple(version_row.changed_fields),
        account_id=version_row.account_id,
    )
