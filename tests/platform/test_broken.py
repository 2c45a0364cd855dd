"""What is answered when the site itself fails, or PostgreSQL is not there."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from nof0site.databases import embedded_database
from nof0site.embedded.paths import DataPaths
from nof0site.embedded.postgres import Postgres
from nof0site.urls import handler400, handler403, handler404, handler500, urlpatterns
from tests.servers import FAST_POSTGRES

UNWRITTEN = "Nothing was written."


def _fails(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a secret of the inside")


def _ends_its_session(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    return HttpResponse()


def _finds_nothing(request: HttpRequest) -> HttpResponse:
    raise Http404


class FailingSite:
    """The site's URLs, with pages that fail beside them."""

    handler400, handler403, handler404, handler500 = handler400, handler403, handler404, handler500
    urlpatterns: ClassVar = [
        *urlpatterns,
        path("fails/", _fails),
        path("ends-its-session/", _ends_its_session),
        path("finds-nothing/", _finds_nothing),
        path("api/v1/fails", _fails),
    ]


@pytest.fixture
def visitor() -> Iterator[Client]:
    with override_settings(ROOT_URLCONF=FailingSite):
        yield Client(raise_request_exception=False)


@pytest.fixture
def known(visitor: Client) -> Client:
    """With a cookie of a login, which has to be looked up."""
    visitor.cookies["sessionid"] = "0" * 32
    return visitor


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", "", response.content.decode(), flags=re.DOTALL))


def test_a_failure_is_a_page_that_needs_nothing_and_tells_nothing_of_the_inside(visitor: Client) -> None:
    # This test may not use the database at all.
    page = visitor.get("/fails/?a=1&b=2")

    assert page.status_code == 500
    assert "the fault is not yours" in words(page)
    assert re.search(r"log of the server says more, at 2\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", words(page))
    assert "secret" not in words(page)
    assert 'href="/fails/?a=1&amp;b=2"' in page.content.decode()
    assert not re.search(r"(src|href)=\"(http|/static)", page.content.decode())
    assert "Content-Security-Policy" in page.headers
    assert page["Cache-Control"] == "no-store"


def test_what_was_sent_is_not_offered_again(visitor: Client) -> None:
    page = visitor.post("/fails/", {"reason": "x"})

    assert page.status_code == 500
    assert UNWRITTEN in words(page)
    assert "Try again" not in words(page)
    assert 'href="/admin/"' in page.content.decode()


def test_programs_are_answered_in_the_form_of_the_read_api(visitor: Client) -> None:
    failed, unknown = visitor.get("/api/v1/fails"), visitor.get("/api/v1/unknown")
    foreign, odd = visitor.get("/api/v1/x", headers={"host": "evil.example.com"}), visitor.get("/api/v1/x?a=%00")

    assert (failed.status_code, failed.json()["error"]) == (500, "Internal Server Error")
    assert failed.json()["detail"].endswith("The log of the server says more.")
    assert unknown.status_code == 404
    assert unknown.json() == {"error": "Not Found", "detail": "There is no page at this address."}
    assert (foreign.status_code, foreign.json()["error"]) == (400, "Bad Request")
    assert (odd.status_code, odd.json()["error"]) == (400, "Bad Request")


@pytest.mark.usefixtures("visitor")
def test_a_program_without_the_forms_token_is_refused_as_json() -> None:
    answer = Client(enforce_csrf_checks=True).post("/api/v1/fails", {})

    assert (answer.status_code, answer.json()["error"]) == (403, "Forbidden")


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_said_plainly_and_the_next_request_is_served(visitor: Client) -> None:
    page = visitor.get("/ends-its-session/")
    assert page.status_code == 503
    connection.close()  # as between two requests, where a server checks it

    assert visitor.get("/admin/login/").status_code == 200


@pytest.mark.slow
def test_while_postgresql_is_stopped_every_page_says_so(known: Client, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock(), own_postgres() as postgres:
        assert "does not fit this release" in words(known.get("/admin/"))  # it runs, and has no tables
        postgres.stop()

        for address in ("/admin/", "/admin/trading/position/live/", "/finds-nothing/"):
            page = known.get(address)
            assert page.status_code == 503
            assert "PostgreSQL cannot be reached" in words(page)
            assert page["Retry-After"] == "10"
        sent = known.post("/admin/logout/")
        assert (sent.status_code, UNWRITTEN in words(sent)) == (503, True)

        postgres.start()
        connection.close()  # as between two requests, where a server checks it
        assert "does not fit this release" in words(known.get("/admin/"))


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """A server of the test's own, empty, and the site on it."""
    with tempfile.TemporaryDirectory(prefix="nof0-broken-") as directory:
        Path(directory).chmod(0o755)
        postgres = Postgres(DataPaths(Path(directory)), FAST_POSTGRES)
        postgres.start()
        connection.close()
        before = connection.settings_dict
        connection.settings_dict = {**before, **embedded_database(Path(directory), connect_seconds=5)}
        try:
            yield postgres
        finally:
            connection.close()
            connection.settings_dict = before
            postgres.stop()
