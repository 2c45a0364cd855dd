"""Changes of configurations since a cursor, at once or as soon as there is one."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from traders.api.auth import EngineRequest, TokenWith, visible_ids
from traders.api.config_answers import Config, config_of
from traders.api.configs import ConfigIds
from traders.api.problems import REFUSALS, Refusal
from traders.api.wire import Answer
from traders.schema.cursor import Cursor
from traders.schema.messages import _
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.tokens import Scope
from traders.versions.announcements import services as changes

LONGEST_WAIT_SECONDS = 55
RETRY_SECONDS = "2"

router = Router(tags=["Configurations: read-config"], auth=TokenWith(Scope.READ_CONFIG))


class Changes(Answer):
    """Versions in the order in which they were made. Ask again with `cursor`: at once where `more` is true."""

    cursor: str
    more: bool
    changes: list[Config] = Field(description="Each with its whole configuration, so that nothing else is to be read.")


@router.get("/changes", response={200: Changes, 409: Refusal, **REFUSALS}, summary="Changes since a cursor")
def list_changes(
    request: EngineRequest,
    response: HttpResponse,
    after: Annotated[str, Query("0", description="The cursor of the last answer; 0 is the beginning.")] = "0",
    wait: Annotated[float, Query(0, ge=0, le=LONGEST_WAIT_SECONDS, description="Seconds to wait for a change.")] = 0,
    limit: Annotated[int, Query(100, ge=1, le=1000)] = 100,
    config_id: ConfigIds = None,
) -> Changes:
    """How a running engine hears of a new configuration without a restart.

    With `wait` the answer comes as soon as something changes, else when the time is up, with no changes. Where too
    many wait already it comes at once with `Retry-After`: ask again after so many seconds.

    409: the cursor is of another history, as after a backup was restored. Read `/configs` again.
    """
    place, wanted = _parsed(after), visible_ids(request.auth, config_id)
    with changes.place_to_wait() as has_place:
        found = changes.wait_for_some(place, config_ids=wanted, limit=limit, seconds=wait if has_place else 0)
    if wait and not has_place and not found.versions:
        response.headers["Retry-After"] = RETRY_SECONDS
    return Changes(
        cursor=str(found.cursor), more=not found.is_all, changes=[config_of(version) for version in found.versions]
    )


def _parsed(cursor: str) -> Cursor:
    try:
        return Cursor.parse(cursor)
    except ValueError as error:
        raise InvalidConfig(
            [Problem("after", _("%(error)s, was %(value)s", error=error, value=repr(cursor)))]
        ) from None
