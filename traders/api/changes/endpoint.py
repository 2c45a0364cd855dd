"""Changes of configurations since a cursor, at once or as soon as there is one."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Header, Query, Router

from traders.api.auth import EngineRequest, TokenWith, visible_ids
from traders.api.changes.answers import Changes, change_answers, concerned
from traders.api.changes.waiting import STREAM_TYPE, WaitingClient, ticket_of
from traders.api.configs import ConfigIds
from traders.api.problems import REFUSALS, Refusal
from traders.api.wanted_answers import wanted_answers
from traders.schema.cursor import Cursor
from traders.schema.messages import _
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.tokens import Scope
from traders.versions.announcements import services as changes

LONGEST_WAIT_SECONDS = 55
RETRY_SECONDS = "2"
STREAM: dict[str, Any] = {
    "responses": {
        200: {
            "content": {
                STREAM_TYPE: {
                    "schema": {"type": "string"},
                    "example": 'id: 42\ndata: {"cursor": "42", "more": false, "changes": [], "wanted": {}, '
                    '"server_time_ms": 1767225600000}\n\n',
                }
            }
        }
    }
}

router = Router(tags=["Configurations: read-config"], auth=TokenWith(Scope.READ_CONFIG))


@router.get(
    "/changes",
    response={200: Changes, 409: Refusal, **REFUSALS},
    summary="Changes since a cursor",
    openapi_extra=STREAM,
)
def list_changes(
    request: EngineRequest,
    response: HttpResponse,
    after: Annotated[str, Query("0", description="The cursor of the last answer; 0 is the beginning.")] = "0",
    wait: Annotated[float, Query(0, ge=0, le=LONGEST_WAIT_SECONDS, description="Seconds to wait for a change.")] = 0,
    limit: Annotated[int, Query(100, ge=1, le=1000)] = 100,
    config_id: ConfigIds = None,
    last_event_id: Annotated[
        str, Header("", alias="Last-Event-ID", description="The id of the last event, in place of `after`.")
    ] = "",
) -> Changes:
    """How a running engine hears of a new configuration, and of what is asked of its traders, without a restart.

    With `Accept: text/event-stream` the answer does not end (Server-Sent Events): an event now, and one at each change.
    Its `data` is one answer as JSON, its id the cursor. Comments come in between. The stream ends when the token
    does, or when the server stops: connect again with `Last-Event-ID`. `wait` is not used.

    With `wait` the answer comes as soon as something changes or is asked, else when the time is up, with no changes.
    A server that cannot wait answers at once, with `Retry-After`: ask again after so many seconds.

    409: the cursor is of another history, as after a backup was restored. Read `/configs` again.
    """
    place, wanted = _parsed(last_event_id or after), visible_ids(request.auth, config_id)
    found = changes.since(place, config_ids=wanted, limit=limit)
    if ticket := ticket_of(request):
        waiting = WaitingClient.of(request.auth, wanted, limit=limit, cursor=found.cursor)
        ticket.fill(waiting, seconds=0 if found.items else wait)
    elif wait and not found.items:
        response.headers["Retry-After"] = RETRY_SECONDS
    return Changes(
        cursor=str(found.cursor),
        more=not found.is_all,
        changes=change_answers(found.items),
        wanted=wanted_answers(concerned(found.items) if wanted is None else wanted),
    )


def _parsed(cursor: str) -> Cursor:
    try:
        return Cursor.parse(cursor)
    except ValueError as error:
        raise InvalidConfig(
            [Problem("after", _("%(error)s, was %(value)s", error=error, value=repr(cursor)))]
        ) from None
