"""Clients that wait for changes. One look at the database serves all of them, however many there are.

The web server holds them. A client is first asked as any other (the endpoint checks its token, its rate and its reach),
and fills in the ticket that the server has put into the request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.db import close_old_connections, connection
from django.http import HttpRequest

from traders.api.changes.answers import change_answers, concerned, concerns
from traders.api.wanted_answers import wanted_answers
from traders.api.wire import SERVER_TIME
from traders.schema import jsonio, moments
from traders.schema.cursor import Cursor
from traders.schema.tokens import Token
from traders.tokens import services as tokens
from traders.versions.announcements import services as changes
from traders.versions.announcements.queries import PlacedChange
from traders.versions.rules.errors import AheadOfHistory

STREAM_TYPE = "text/event-stream"
TICKET = "nof0.waiting_ticket"
"""In the environment of a request whose client may wait. No header can be of this name."""
# Changes that are read at once, which bounds memory; clients that are further behind get the rest by the next looks.
MOST_READ = 500


@dataclass(eq=False, slots=True)
class WaitingClient:
    """Everything up to `cursor` was sent to it, or does not concern it. `config_ids` None: it asks for all. `is_due`:
    it is to be answered at the next look, also without changes."""

    token_id: int
    config_ids: frozenset[str] | None
    limit: int
    cursor: Cursor
    is_due: bool = False

    @classmethod
    def of(cls, token: Token, config_ids: Collection[str] | None, *, limit: int, cursor: Cursor) -> Self:
        return cls(token.id, None if config_ids is None else frozenset(config_ids), limit, cursor)


@dataclass(slots=True)
class Ticket:
    """Empty after a refusal. `is_stream`: events are wanted."""

    client: WaitingClient | None = None
    seconds: float = 0
    is_stream: bool = False

    def fill(self, client: WaitingClient, *, seconds: float) -> None:
        self.client, self.seconds = client, seconds


def ticket_of(request: HttpRequest) -> Ticket | None:
    """None where the server cannot wait."""
    ticket: Ticket | None = request.META.get(TICKET)
    if ticket is not None:
        ticket.is_stream = request.get_preferred_type(["application/json", STREAM_TYPE]) == STREAM_TYPE
    return ticket


@dataclass(frozen=True, slots=True)
class WaitingAnswer:
    """`content` is the JSON of one answer. None: the client is to be asked again, and is refused then: its token has
    ended, or its cursor is of another history."""

    content: bytes | None
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class WaitingLook:
    """`answers` of those that are to be answered; the others wait on. `newest` is the cursor after all changes."""

    answers: dict[WaitingClient, WaitingAnswer]
    newest: Cursor


def look(waiting: Sequence[WaitingClient]) -> WaitingLook:
    """Moves the cursors of all on. Raises DatabaseError."""
    close_old_connections()
    try:
        newest = changes.now()
        working = tokens.working({client.token_id for client in waiting})
        answers = {client: _ask_again(client) for client in waiting if client.token_id not in working}
        left = [client for client in waiting if client not in answers]
        answers |= _answers(left, newest)
        return WaitingLook(answers, newest)
    finally:
        close_old_connections()


def close_connection() -> None:
    """Of this thread, when nobody waits."""
    connection.close()


def _answers(waiting: Iterable[WaitingClient], newest: Cursor) -> dict[WaitingClient, WaitingAnswer]:
    by_cursor: dict[Cursor, list[WaitingClient]] = defaultdict(list)
    found: dict[WaitingClient, WaitingAnswer] = {}
    told: dict[WaitingClient, _News] = {}
    for client in waiting:
        if client.cursor != newest:
            by_cursor[client.cursor].append(client)
        elif client.is_due:
            told[client] = _News((), client.cursor, is_all=True)
    for place, clients in by_cursor.items():
        try:
            told |= _news(place, clients, newest)
        except AheadOfHistory:
            found |= {client: _ask_again(client) for client in clients}
    return found | _written(told)


@dataclass(frozen=True, slots=True)
class _News:
    """What one client is told."""

    placed: tuple[PlacedChange, ...]
    cursor: Cursor
    is_all: bool


def _news(place: Cursor, clients: Sequence[WaitingClient], newest: Cursor) -> dict[WaitingClient, _News]:
    """Of clients with the same cursor. Those without news that are not due are left out."""
    sets = [client.config_ids for client in clients]
    asked = None if None in sets else frozenset[str]().union(*filter(None, sets))
    batch = changes.since_known(place, until=newest, config_ids=asked, limit=MOST_READ)
    kinds: dict[tuple[frozenset[str] | None, int], _News] = {}
    told = {}
    for client in clients:
        kind = (client.config_ids, client.limit)
        if kind not in kinds:
            kinds[kind] = _part(batch, *kind)
        client.cursor = kinds[kind].cursor
        if kinds[kind].placed or (client.is_due and batch.is_all):
            told[client] = kinds[kind]
    return told


def _part(batch: changes.ChangesSince, config_ids: frozenset[str] | None, limit: int) -> _News:
    """As `since` answers it for these configurations."""
    mine = tuple(change for change in batch.placed if concerns(change.item, config_ids))
    if len(mine) >= limit:
        return _News(mine[:limit], mine[limit - 1].place, is_all=False)
    return _News(mine, batch.cursor, batch.is_all)


def _written(told: dict[WaitingClient, _News]) -> dict[WaitingClient, WaitingAnswer]:
    """Each change and what is wanted of each trader is encoded once, and each answer once for all whom it is for."""
    placed = {change.place: change.item for news in told.values() for change in news.placed}
    models = change_answers(list(placed.values()))
    encoded = {place: jsonio.encoded(model.model_dump()) for place, model in zip(placed, models, strict=True)}
    kinds = {client: _kind(client, news) for client, news in told.items()}
    different = {kinds[client]: (client.config_ids, news) for client, news in told.items()}
    concerned_ids = {kind: _concerned_ids(*of_kind) for kind, of_kind in different.items()}
    wanted, now_ms = _wanted(concerned_ids.values()), moments.now_ms()
    texts = {}
    for kind, (_config_ids, news) in different.items():
        ids = concerned_ids[kind]
        answer = {
            "cursor": str(news.cursor),
            "more": not news.is_all,
            "changes": [encoded[change.place] for change in news.placed],
            "wanted": {name: wanted[name] for name in (wanted if ids is None else ids) if name in wanted},
            SERVER_TIME: now_ms,
        }
        texts[kind] = jsonio.dumps_finite(answer).encode()
    return {client: WaitingAnswer(texts[kinds[client]], news.cursor) for client, news in told.items()}


def _kind(client: WaitingClient, news: _News) -> tuple[Any, ...]:
    """Clients of the same reach, with the same first change and the same place after the last, are told the same."""
    return (news.placed[0].place if news.placed else None, news.cursor, news.is_all, client.config_ids)


def _concerned_ids(config_ids: frozenset[str] | None, news: _News) -> Collection[str] | None:
    """None: of all traders."""
    return concerned([change.item for change in news.placed]) if config_ids is None else config_ids


def _wanted(concerned_ids: Iterable[Collection[str] | None]) -> dict[str, Any]:
    """{trader_id: what is wanted of it, encoded}, of all traders that an answer names."""
    ids: set[str] = set()
    for named in concerned_ids:
        if named is None:
            return _encoded_wanted(None)
        ids |= set(named)
    return _encoded_wanted(ids) if ids else {}


def _encoded_wanted(ids: Collection[str] | None) -> dict[str, Any]:
    return {name: jsonio.encoded(answer.model_dump()) for name, answer in wanted_answers(ids).items()}


def _ask_again(client: WaitingClient) -> WaitingAnswer:
    return WaitingAnswer(None, client.cursor)
