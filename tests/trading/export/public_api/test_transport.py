"""HTTPS, tokens, and what readers without a token are told."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.export.public_api.client import PUBLIC, get, make_api, make_run
from traders.schema.messages import verbatim
from trading.export.documents.names import Document
from trading.export.public_api.access import STATES, without_texts
from trading.export.public_api.transport import Transport
from trading.export.status import file as status
from trading.export.status.file import ExportStatus, ServerSeen

TOKEN = "a-token-of-enough-letters"
BEARER = f"Bearer {TOKEN}"
HSTS = "max-age=31536000; includeSubDomains; preload"
HTTPS_ONLY = Transport(https_only=True, hsts=HSTS, proxy_header="HTTP_X_FORWARDED_PROTO")
EVERY_PATH = [*(f"/api/{name}" for name in Document), "/api/health", "/metrics", "/api/nothing"]
SECRET = 'connection to server at "10.1.2.3", port 5432 failed: FATAL: role "nof0" does not exist'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_run(tmp_path, time.time_ns() // 1_000_000)
    return tmp_path


@pytest.mark.parametrize("path", EVERY_PATH)
def test_plain_http_is_redirected_while_https_is_on(root: Path, path: str) -> None:
    api = make_api(root, transport=HTTPS_ONLY)
    for method in ("GET", "HEAD"):
        for headers in ({}, {"x_forwarded_proto": "http"}, {"x_forwarded_proto": "http, https"}):
            answer = get(api, f"{path}?a=b%20c", method, **headers)
            assert (answer.status, answer.headers["Location"]) == (301, f"https://localhost:8000{path}?a=b%20c")
            assert "Strict-Transport-Security" not in answer.headers


def test_a_token_over_plain_http_is_refused_and_not_redirected(root: Path) -> None:
    api = make_api(root, transport=HTTPS_ONLY, tokens=[TOKEN], levels=PUBLIC | {"conversations": "token"})
    for path in EVERY_PATH:
        answer = get(api, path, authorization=BEARER)
        assert (answer.status, "Location" in answer.headers) == (403, False)
        assert "Replace the token" in answer.json["detail"]
    assert get(api, "/api/conversations", authorization=BEARER, x_forwarded_proto="https").status == 200


@pytest.mark.parametrize("path", EVERY_PATH)
def test_every_answer_over_https_tells_browsers_to_insist(root: Path, path: str) -> None:
    api = make_api(root, transport=HTTPS_ONLY)
    for method in ("GET", "HEAD", "POST", "OPTIONS"):
        answer = get(api, path, method, x_forwarded_proto="https")
        assert answer.headers["Strict-Transport-Security"] == HSTS
    known = get(api, path, x_forwarded_proto="https").headers.get("ETag")
    if known:
        again = get(api, path, x_forwarded_proto="https", if_none_match=known)
        assert (again.status, again.headers["Strict-Transport-Security"]) == (304, HSTS)


def test_a_proxys_header_counts_only_where_it_is_trusted(root: Path) -> None:
    api = make_api(root, transport=Transport(https_only=True, hsts=HSTS))
    assert get(api, "/api/trades", x_forwarded_proto="https").status == 301


def test_a_redirect_leads_to_no_foreign_host(root: Path) -> None:
    api = make_api(root, transport=HTTPS_ONLY, behind=None)
    assert get(api, "/api/trades", host="evil.example").status == 400
    assert get(api, "//evil.example/x").headers["Location"] == "https://localhost:8000//evil.example/x"
    assert get(api, "/api/\r\nSet-Cookie: a").headers["Location"].endswith("/api/%0D%0ASet-Cookie:%20a")


def test_without_https_nothing_changes(root: Path) -> None:
    answer = get(make_api(root), "/api/trades")
    assert (answer.status, "Strict-Transport-Security" in answer.headers) == (200, False)


def test_django_decides_for_its_own_addresses(root: Path) -> None:
    assert get(make_api(root, transport=HTTPS_ONLY), "/admin/").content == b"django"


def test_a_document_that_needs_a_token_where_none_exists_says_why_it_is_closed(root: Path) -> None:
    answer = get(make_api(root, levels=PUBLIC | {"metrics": "token"}), "/metrics", authorization=BEARER)
    assert answer.status == 401
    assert "API_TOKENS of the server holds none" in answer.json["detail"]


def test_health_tells_texts_to_holders_of_a_token_only(root: Path) -> None:
    now = time.time()
    down = ServerSeen(is_up=False, at=now, error=verbatim(SECRET))
    status.write(root, ExportStatus(at=now, pid=1, postgres=down, redis=down, last_error=SECRET))
    api = make_api(root, tokens=[TOKEN])

    for authorization in ("", "Bearer wrong", TOKEN):
        answer = get(api, "/api/health", authorization=authorization)
        for text in ("10.1.2.3", "5432", "role", "FATAL"):
            assert text not in answer.content.decode()
        assert (answer.json["status"], answer.json["postgres"]["state"]) == ("ok", "down")
        assert answer.json["postgres"]["age_seconds"] < 60
        assert answer.json["export"]["age_seconds"] < 60
    whole = get(api, "/api/health", authorization=BEARER).json
    assert whole["postgres"]["error"] == whole["exporter"]["last_error"] == SECRET


def test_no_other_answer_tells_an_error_text_either(tmp_path: Path) -> None:
    down = ServerSeen(is_up=False, error=verbatim(SECRET))
    status.write(tmp_path, ExportStatus(time.time(), 1, down, down, last_error=SECRET))
    for path in EVERY_PATH:
        assert b"10.1.2.3" not in get(make_api(tmp_path), path).content


LEAVES = st.sampled_from([None, True, 3, "ok", SECRET])
REPORTS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "state", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def names_of_texts(value: Any, name: str = "") -> set[str]:
    if isinstance(value, dict):
        return {text for key, inner in value.items() for text in names_of_texts(inner, key)}
    if isinstance(value, list):
        return {text for inner in value for text in names_of_texts(inner, name)}
    return {name} if isinstance(value, str) else set()


@given(st.dictionaries(st.sampled_from(["status", "error", "export"]), REPORTS))
def test_only_states_are_texts_without_a_token(report: dict[str, Any]) -> None:
    seen = json.loads(without_texts(json.dumps(report).encode()))
    assert names_of_texts(seen) <= set(STATES)
    assert seen.keys() == report.keys()
