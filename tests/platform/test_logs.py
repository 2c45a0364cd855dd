"""A refused request is one line in the log."""

from __future__ import annotations

import io
import logging
import logging.config
from collections.abc import Iterator

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from nof0site.errors.logs import RefusalsInOneLine
from nof0site.urls import handler400, handler403, handler404, handler500, urlpatterns

ERRORS = {
    "forbidden": PermissionDenied("not you"),
    "bad": BadRequest("the plan is missing"),
    "odd": SuspiciousOperation("x"),
    "away": psycopg.OperationalError("connection failed: nobody is there\nHINT: look"),
    "unknown column": psycopg.errors.UndefinedColumn("no such column"),
}


def refused(request: HttpRequest, kind: str) -> HttpResponse:
    raise ERRORS.get(kind) or RuntimeError("broken")


urlpatterns = [*urlpatterns, path("refused/<str:kind>", refused)]
__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a handler set up as in the settings writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    handler.addFilter(RefusalsInOneLine())
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def visitor(db: None) -> Iterator[Client]:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_user("ada\nEverything is fine.", is_staff=True))
    with override_settings(ROOT_URLCONF=__name__):
        yield client


def lines_of(written: io.StringIO) -> list[str]:
    return [line for line in written.getvalue().splitlines() if "django" in line or "Traceback" in line]


def test_a_403_names_the_account_and_the_address(visitor: Client, written: io.StringIO) -> None:
    assert visitor.get("/refused/forbidden", REMOTE_ADDR="203.0.113.9").status_code == 403
    assert lines_of(written) == [
        "WARNING django.request: Forbidden (Permission denied): /refused/forbidden, "
        "account 'ada\\nEverything is fine.' from 203.0.113.9"
    ]


def test_a_page_that_the_role_does_not_allow_is_one_line(visitor: Client, written: io.StringIO) -> None:
    assert visitor.get("/admin/auth/user/").status_code == 403
    (line,) = lines_of(written)
    assert line.startswith("WARNING django.request: Forbidden (Permission denied): /admin/auth/user/, account 'ada")


def test_a_form_without_its_token_is_one_line(visitor: Client, written: io.StringIO) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = visitor.cookies
    assert strict.post("/admin/password_change/", {}).status_code == 403
    (line,) = lines_of(written)
    assert "/admin/password_change/, account" in line


@pytest.mark.parametrize("kind", ["bad", "odd"])
def test_other_refusals_are_one_line_too(visitor: Client, written: io.StringIO, kind: str) -> None:
    assert visitor.get(f"/refused/{kind}").status_code == 400
    assert len(written.getvalue().splitlines()) == 1
    assert "account" not in written.getvalue()


def test_what_is_broken_keeps_its_traceback(visitor: Client, written: io.StringIO) -> None:
    assert visitor.get("/refused/otherwise").status_code == 500
    assert "Traceback" in written.getvalue()
    assert "RuntimeError: broken" in written.getvalue()


def test_a_fault_of_the_database_is_one_line_with_its_message(visitor: Client, written: io.StringIO) -> None:
    assert visitor.get("/refused/away").status_code == 503
    assert lines_of(written) == [
        "ERROR django.request: Service Unavailable: /refused/away: connection failed: nobody is there"
    ]
    assert len(written.getvalue().splitlines()) == 1


def test_a_statement_that_names_what_is_not_there_keeps_its_traceback(visitor: Client, written: io.StringIO) -> None:
    assert visitor.get("/refused/unknown column").status_code == 503
    assert "Traceback" in written.getvalue()


def test_the_settings_use_the_filter(settings: object) -> None:
    logs = settings.LOGGING  # type: ignore[attr-defined]
    assert all(handler["filters"] == ["refusals"] for handler in logs["handlers"].values())
