"""The ASGI application that `serve` loads, for any ASGI server. Each process makes its own, after it was forked."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.http import HttpRequest

from nof0site.postgresql.direct import direct_parameters
from nof0site.serving.bodies import BodyReader
from nof0site.serving.changes.listener import listen
from nof0site.serving.changes.room import WaitingRoom
from nof0site.serving.changes.server import ChangesServer
from nof0site.serving.front import Environ, FrontServer
from nof0site.serving.threads import PageThreads
from nof0site.wsgi import policy, read_api
from traders.audit.origin import client_address

# Which ask the endpoint once for each client that will wait, and may be many at a restart.
THREADS_OF_CHANGES = 2
QUEUE_OF_CHANGES = 10_000


def _address(environ: Environ) -> str:
    request = HttpRequest()
    request.META = environ
    return client_address(request) or ""


def _changes() -> ChangesServer | None:
    if read_api.behind is None or not settings.SERVE_ENGINE_API:
        return None
    parameters = direct_parameters()
    room = WaitingRoom(partial(listen, parameters) if parameters else None)
    return ChangesServer(read_api.behind, PageThreads("changes", THREADS_OF_CHANGES, QUEUE_OF_CHANGES), room)


read_api.current.watch()
application = FrontServer(
    api=read_api,
    policy=policy,
    bodies=BodyReader(settings.WEB_BODY_SECONDS, settings.WEB_BODY_RATE),
    pages=PageThreads("pages", settings.WEB_THREADS, settings.WEB_QUEUE),
    address=_address,
    changes=_changes(),
)
