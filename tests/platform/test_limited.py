"""The limits of bodies under any WSGI server: what is too large is refused before it is read."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nof0site.serving.body_limits import FORM_BYTES, SMALL_BYTES, UPLOAD_BYTES, BodyRefused, Policy, announced_length
from nof0site.serving.limited import LimitedApplication
from nof0site.wsgi import policy
from tests.platform.asgi_client import LOGIN, POLICY, UPLOAD


class Unreadable(io.BytesIO):
    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")


def ask(
    application: Any, method: str, path: str, body: io.BytesIO | None = None, **environ: str
) -> tuple[str, dict[str, str], bytes]:
    said: list[Any] = []
    given = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": body or Unreadable(), **environ}
    content = b"".join(application(given, lambda status, headers: said.extend((status, headers))))
    return said[0], dict(said[1]), content


def echo(environ: Any, start_response: Any) -> Iterable[bytes]:
    """A GET is refused to clients whose cookie says so."""
    if environ["REQUEST_METHOD"] == "GET" and "viewer" in environ.get("HTTP_COOKIE", ""):
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"not you"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["wsgi.input"].read()] if environ["REQUEST_METHOD"] == "POST" else [b"page"]


def test_a_body_too_large_is_refused_unread() -> None:
    status, headers, content = ask(LimitedApplication(echo, POLICY), "POST", LOGIN, CONTENT_LENGTH=str(400 * 10**6))
    assert (status, content) == (
        "413 Request Entity Too Large",
        b"Request Entity Too Large. This address takes 64 kB at most.\n",
    )
    # A WSGI server sends this one itself.
    assert "Connection" not in headers


def test_a_body_of_unknown_length_is_refused() -> None:
    status, _, _ = ask(LimitedApplication(echo, POLICY), "POST", LOGIN, HTTP_TRANSFER_ENCODING="chunked")
    assert status == "411 Length Required"


@pytest.mark.parametrize("length", ["-1", "1e3", "ten", "1, 1", "\u0661"])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    status, _, _ = ask(LimitedApplication(echo, POLICY), "POST", LOGIN, CONTENT_LENGTH=length)
    assert status == "400 Bad Request"


def test_a_large_upload_is_read_only_from_who_may_see_the_page() -> None:
    large = str(FORM_BYTES + 1)
    status, _, content = ask(
        LimitedApplication(echo, POLICY), "POST", UPLOAD, CONTENT_LENGTH=large, HTTP_COOKIE="sessionid=viewer"
    )
    assert (status, content) == ("403 Forbidden", b"not you")
    status, _, content = ask(
        LimitedApplication(echo, POLICY),
        "POST",
        UPLOAD,
        io.BytesIO(b"file"),
        CONTENT_LENGTH=large,
        HTTP_COOKIE="sessionid=x",
    )
    assert (status, content) == ("200 OK", b"file")
    status, _, _ = ask(
        LimitedApplication(echo, POLICY), "POST", UPLOAD, CONTENT_LENGTH=large, HTTP_COOKIE="csrftoken=x"
    )
    assert status.startswith("413")


@given(
    st.text(max_size=40), st.text(max_size=40), st.sampled_from(["GET", "POST", "PUT", "BREW"]), st.text(max_size=60)
)
def test_no_request_is_given_more_than_an_upload(path: str, cookies: str, method: str, authorization: str) -> None:
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "HTTP_COOKIE": cookies,
        "HTTP_AUTHORIZATION": authorization,
    }
    limit = POLICY.limit(environ)
    assert SMALL_BYTES <= limit.bytes <= FORM_BYTES
    assert limit.most <= UPLOAD_BYTES
    if "sessionid" not in cookies and "earer" not in authorization.lower():
        assert limit.most == SMALL_BYTES


@given(st.text(max_size=30))
def test_any_length_is_a_number_or_refused(text: str) -> None:
    try:
        length = announced_length({"CONTENT_LENGTH": text})
    except BodyRefused:
        return
    assert length is not None
    assert length >= 0
    assert text in ("", str(length)) or int(text) == length


def test_the_addresses_of_this_site_have_their_limits() -> None:
    assert isinstance(policy, Policy)
    session = {"REQUEST_METHOD": "POST", "HTTP_COOKIE": "sessionid=x"}
    assert policy.limit({**session, "PATH_INFO": "/admin/login/"}).most == SMALL_BYTES
    assert policy.limit({**session, "PATH_INFO": "/admin/traders/traderconfig/add/"}).most == FORM_BYTES
    assert policy.limit({**session, "PATH_INFO": "/admin/traders/traderconfig/upload/"}).most == UPLOAD_BYTES
