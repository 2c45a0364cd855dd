"""Hears the announcements of PostgreSQL, on one connection a process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from psycopg import AsyncConnection, Error

from traders.versions.announcements.queries import CHANNEL, CONTROL_CHANNEL

RECONNECT_SECONDS = 1.0

log = logging.getLogger(__name__)


async def listen(parameters: dict[str, Any], heard: Callable[[], None]) -> None:
    """Until it is cancelled. `heard` is called at each announcement, and after each connect, since others may have been
    missed."""
    is_lost = False
    while True:
        try:
            async with await AsyncConnection.connect(**parameters, autocommit=True) as connection:
                await connection.execute(f"LISTEN {CHANNEL}; LISTEN {CONTROL_CHANNEL}")
                if is_lost:
                    log.info("Announcements of changes are heard again.")
                is_lost = False
                heard()
                async for _announcement in connection.notifies():
                    heard()
        except (Error, OSError) as error:
            if not is_lost:
                log.warning("Announcements of changes are not heard; changes are looked for each second: %s", error)
            is_lost = True
        await asyncio.sleep(RECONNECT_SECONDS)
