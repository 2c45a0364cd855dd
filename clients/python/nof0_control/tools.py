"""The requests of tools and operators: edits of configurations, controls, alarms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, cast

from .answers import Alarm, Alarms, ControlLog, Effect, TokenHolder, Versions
from .connection import Connection
from .encoding import flag, given, moment


class ToolRequests:
    """Part of `Client`."""

    _connection: Connection

    def token(self) -> TokenHolder:
        """The holder of the token, and its scopes. Any token may ask."""
        return cast(TokenHolder, self._connection.send("GET", "/token"))

    # Configurations: scope read-config

    def versions(self, config_id: str, *, before: int | None = None, limit: int = 50) -> Versions:
        """Newest first, without their settings; `before`: those older than this version."""
        return cast(
            Versions, self._connection.send("GET", f"/configs/{config_id}/versions", params=_page(before, limit))
        )

    # Edits: scope write-config; of the fleet's settings ("@manager") write-fleet. Each starts from a version, and
    # raises Conflict where another one was saved since; where an answer was lost on its way, that may be this edit.

    def replace_config(
        self, config_id: str, config: Mapping[str, Any], *, expected_version: int, reason: str, dry_run: bool = False
    ) -> Effect:
        """The whole configuration; `expected_version` 0 makes a trader. `dry_run` only plans it."""
        body = {"config": dict(config), "expected_version": expected_version, "reason": reason}
        return self._edit("PUT", f"/configs/{config_id}", body, dry_run)

    def change_config(
        self,
        config_id: str,
        settings: Mapping[str, Any],
        *,
        expected_version: int,
        reason: str,
        unset: Iterable[str] = (),
        dry_run: bool = False,
    ) -> Effect:
        """Settings by path, such as `detail.risk.max_positions`. `unset`: extension keys to remove."""
        body = {"set": dict(settings), "unset": list(unset), "expected_version": expected_version, "reason": reason}
        return self._edit("PATCH", f"/configs/{config_id}", body, dry_run)

    def restore_version(
        self,
        config_id: str,
        version: int,
        *,
        expected_version: int,
        reason: str,
        keep: Iterable[str] = (),
        dry_run: bool = False,
    ) -> Effect:
        """Restores an older version as a new one. `keep`: paths that stay as they are now."""
        body = {"version": version, "keep": list(keep), "expected_version": expected_version, "reason": reason}
        return self._edit("POST", f"/configs/{config_id}/restore", body, dry_run)

    # Controls that were asked for, newest first: scope read-config, write-state, control or stop

    def controls(self, trader_id: str, *, before: int | None = None, limit: int = 50) -> ControlLog:
        """The controls of the trader and of the fleet, and the wanted state. `before`: only those older than this
        control."""
        return cast(
            ControlLog, self._connection.send("GET", f"/traders/{trader_id}/controls", params=_page(before, limit))
        )

    # Alarms: scope read-config or write-state; to acknowledge, control

    def alarms(
        self, *, state: Literal["lasting", "all"] = "lasting", before: int | None = None, limit: int = 100
    ) -> Alarms:
        """Newest first; `lasting` are those that have not ended. `before`: those with a lower id."""
        params = [("state", state), *_page(before, limit)]
        return cast(Alarms, self._connection.send("GET", "/alarms", params=params))

    def acknowledge_alarm(self, alarm_id: int, *, until: datetime | None = None, reason: str | None = None) -> Alarm:
        """Acknowledges an alarm: it is not repeated any more, or again from `until` on. Pages show the reason."""
        body = given(until=None if until is None else moment(until), reason=reason)
        return cast(Alarm, self._connection.send("POST", f"/alarms/{alarm_id}/ack", body))

    def _edit(self, method: str, path: str, body: Mapping[str, Any], dry_run: bool) -> Effect:
        return cast(Effect, self._connection.send(method, path, body, [("dry_run", flag(dry_run))]))


def _page(before: int | None, limit: int) -> list[tuple[str, str]]:
    return [*(("before", str(number)) for number in [before] if number is not None), ("limit", str(limit))]
