"""Pages as a browser asks for them: the whole request in this process, timed, with its queries counted."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.meter import percentile

WARM_UP = 5
REQUESTS = 40

HOW = (
    f"{REQUESTS} requests each through Django's test client after {WARM_UP} to warm up: the whole request in the "
    "process, with middleware and template, without network and browser."
)


@dataclass(frozen=True)
class Page:
    """An address, and what is posted to it: None is a page that is only looked at."""

    url: str
    posted: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Answers:
    """`kilobytes` is the size of one answer."""

    milliseconds: list[float]
    queries: int
    kilobytes: float

    def at(self, share: float) -> str:
        return f"{percentile(self.milliseconds, share):.0f}"


def signed_in() -> Client:
    """An administrator, in a process prepared as a web server's worker is."""
    import_module("nof0site.wsgi")
    warnings.filterwarnings("ignore", "No directory at", UserWarning)  # static files were not collected
    client = Client(HTTP_HOST="localhost")
    user, _ = get_user_model().objects.get_or_create(username="bench", is_superuser=True, is_staff=True)
    client.force_login(user)
    return client


def measured(client: Client, page: Page) -> Answers:
    for _ in range(WARM_UP):
        ask(client, page)
    found = [ask(client, page)[0] * 1000 for _ in range(REQUESTS)]
    with CaptureQueriesContext(connection) as queries:
        _, size = ask(client, page)
    return Answers(found, len(queries), size / 1000)


def ask(client: Client, page: Page, *, expected: int = 200) -> tuple[float, int]:
    """(seconds, bytes). Raises AssertionError for any other answer."""
    started = time.perf_counter()
    response = client.get(page.url) if page.posted is None else client.post(page.url, page.posted)
    taken = time.perf_counter() - started
    if response.status_code != expected:
        raise AssertionError(f"{page.url} answered {response.status_code}")
    return taken, len(response.content)
