"""The ASGI application that `serve` loads, for any ASGI server. Each process makes its own, after it was forked."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from nof0site.login.pages import client_address
from nof0site.serving.bodies import Bodies
from nof0site.serving.front import Environ, Front, Threads
from nof0site.wsgi import policy, read_api


def _address(environ: Environ) -> str:
    request = HttpRequest()
    request.META = environ
    return client_address(request) or ""


read_api.current.watch()
application = Front(
    api=read_api,
    policy=policy,
    bodies=Bodies(settings.WEB_BODY_SECONDS, settings.WEB_BODY_RATE),
    pages=Threads("pages", settings.WEB_THREADS, settings.WEB_QUEUE),
    address=_address,
)
