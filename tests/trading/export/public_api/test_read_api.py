from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tests.trading.export.public_api.client import HOURS, PUBLIC, get, make_api, make_run
from traders.schema.messages import verbatim
from trading.export.directory.manifest import Manifest
from trading.export.directory.runs import ExportDirectory
from trading.export.documents.names import MAX_AGE, Document
from trading.export.public_api import current
from trading.export.public_api.application import ReadApi
from trading.export.status import file as status
from trading.export.status.file import ExportStatus, ServerSeen

TOKEN = "a-token-of-enough-letters"
BEARER = f"Bearer {TOKEN}"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_run(tmp_path, now_ms())
    return tmp_path


@pytest.fixture
def api(root: Path) -> ReadApi:
    return make_api(root)


@pytest.mark.parametrize("name", [*Document, "analytics/ann"])
def test_every_document_is_its_file(api: ReadApi, root: Path, name: str) -> None:
    answer = get(api, f"/api/{name}")

    assert answer.status == 200
    assert answer.content == (root / "current" / f"{name}.json").read_bytes()
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == f"public, max-age={MAX_AGE[Document(name.partition('/')[0])]}"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    packed = get(api, f"/api/{name}", accept_encoding="br, gzip;q=0.8")
    assert packed.content == (root / "current" / f"{name}.json.gz").read_bytes()
    assert packed.json == answer.json
    assert packed.headers["ETag"] != answer.headers["ETag"]
    assert "Warning" not in answer.headers


@pytest.mark.parametrize(
    "accepts", ["", "br", "gzip;q=0", "deflate, gzip; q=0", "gzip;Q=0.000", "*, gzip;q=0", "gzip;q=0.1, identity"]
)
def test_who_does_not_take_gzip_gets_none(api: ReadApi, accepts: str) -> None:
    assert "Content-Encoding" not in get(api, "/api/trades", accept_encoding=accepts).headers


@pytest.mark.parametrize("accepts", ["gzip", "GZIP", "*", "x-gzip;q=0.001", "identity;q=0.5, gzip", "gzip;q=x"])
def test_who_takes_gzip_gets_it(api: ReadApi, accepts: str) -> None:
    assert get(api, "/api/trades", accept_encoding=accepts).headers["Content-Encoding"] == "gzip"


def test_what_is_known_is_not_sent_again(api: ReadApi) -> None:
    first = get(api, "/api/trades", accept_encoding="gzip")
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]

    for headers in (
        {"if_none_match": etag},
        {"if_none_match": f'"other", W/{etag}'},
        {"if_none_match": "*"},
        {"if_modified_since": modified},
    ):
        again = get(api, "/api/trades", accept_encoding="gzip", **headers)
        assert (again.status, again.content) == (304, b"")
        assert again.headers["ETag"] == etag
        assert "Content-Length" not in again.headers
    assert get(api, "/api/trades", if_none_match='"other"', if_modified_since=modified).status == 200


def test_head_is_get_without_content(api: ReadApi) -> None:
    head, whole = get(api, "/api/trades", "HEAD"), get(api, "/api/trades")
    assert (head.status, head.headers, head.content) == (200, whole.headers, b"")


@pytest.mark.parametrize(
    "path", ["/api/trades/", "/api/trades?limit=5&path=trades", "/api/analytics/ann?path=a&path=b"]
)
def test_slashes_and_unknown_parameters_change_nothing(api: ReadApi, path: str) -> None:
    assert get(api, path).content == get(api, path.partition("?")[0].rstrip("/")).content


@pytest.mark.parametrize("hour", [-5, 0, 1, 3, HOURS - 1, HOURS, 10**17])
def test_totals_from_an_hour_on(api: ReadApi, hour: int) -> None:
    whole = get(api, "/api/account-totals").json
    part = get(api, f"/api/account-totals?lastHourlyMarker={hour}&path=account-totals", accept_encoding="gzip")

    newest = {row["n"]: row for row in whole["accountTotals"]}.values()
    rows = [row for row in whole["accountTotals"] if row["hour"] >= hour or row in newest]
    assert part.json == whole | {"accountTotals": rows}
    again = get(api, f"/api/account-totals?lastHourlyMarker={hour}", if_none_match=part.headers["ETag"])
    assert again.status == 304
    if hour > 0:
        assert part.headers["ETag"] != get(api, "/api/account-totals", accept_encoding="gzip").headers["ETag"]


@pytest.mark.parametrize("hour", ["", "x", "1.5", "9" * 30, "--1"])
def test_an_hour_that_is_none_is_ignored(api: ReadApi, hour: str) -> None:
    assert get(api, f"/api/account-totals?lastHourlyMarker={hour}").content == get(api, "/api/account-totals").content


@pytest.mark.parametrize(
    "path", ["/api/analytics/nobody", "/api/nothing", "/api/analytics/../trades", "/api/", "/api", "/api/v1"]
)
def test_what_is_not_there_is_404_in_json(api: ReadApi, path: str) -> None:
    answer = get(api, path)
    assert (answer.status, answer.json["error"]) == (404, "Not Found")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_written(api: ReadApi, method: str) -> None:
    answer = get(api, "/api/trades", method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_before_the_first_export_it_says_so(tmp_path: Path) -> None:
    api = make_api(tmp_path, tokens=[TOKEN])
    answer = get(api, "/api/trades")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    assert answer.json["detail"] == "Nothing was exported yet."
    assert get(api, "/api/health").json["status"] == "no export"
    down = ServerSeen(is_up=False)
    status.write(
        tmp_path, ExportStatus(time.time(), 1, down, down, last_error="OSError: [Errno 28] No space left on device")
    )
    assert get(api, "/api/trades").json["detail"] == "Nothing was exported yet."
    assert get(api, "/api/trades", authorization=BEARER).json["detail"].endswith("No space left on device")
    make_run(tmp_path, now_ms())
    time.sleep(current.LOOK_SECONDS + 0.1)
    assert get(api, "/api/trades").status == 200


def test_an_old_export_is_served_and_called_stale(tmp_path: Path) -> None:
    make_run(tmp_path, now_ms() - 600_000)
    api = make_api(tmp_path)
    answer = get(api, "/api/trades")

    assert answer.status == 200
    assert answer.headers["Warning"].startswith("110 ")
    assert 595 < int(answer.headers["Age"]) < 605
    health = get(api, "/api/health").json
    assert (health["stale"], health["status"]) == (True, "stale")


def test_a_document_that_could_not_be_made_is_told(tmp_path: Path) -> None:
    make_run(tmp_path, now_ms(), failing="trades")
    api = make_api(tmp_path, tokens=[TOKEN])
    answer = get(api, "/api/trades")

    assert (answer.status, answer.json["detail"]) == (503, "trades could not be made.")
    assert get(api, "/api/trades", authorization=BEARER).json["detail"] == "trades could not be made: it broke"
    assert get(api, "/api/positions").status == 200
    assert get(api, "/api/health").json["export"]["failed_documents"] == {"trades": None}
    health = get(api, "/api/health", authorization=BEARER).json
    assert health["export"]["failed_documents"] == {"trades": "it broke"}


def test_a_document_that_stands_from_before_says_how_old_it_is(tmp_path: Path) -> None:
    made, now = now_ms() - 600_000, now_ms()
    make_run(tmp_path, made)
    directory = ExportDirectory(tmp_path)
    before = directory.current()
    assert before is not None
    run = directory.begin(now)
    entries = [
        structs.replace(entry, is_stale=entry.name == "trades", error="it broke" if entry.name == "trades" else None)
        for entry in before.manifest.files
        if run.keep(entry.name)
    ]
    directory.publish(run, Manifest(now, 12, entries))
    api = make_api(tmp_path)
    answer = get(api, "/api/trades")

    assert (answer.status, answer.json["serverTime"]) == (200, made)
    assert 595 < int(answer.headers["Age"]) < 605
    assert answer.headers["Warning"].startswith('110 - "it could not be renewed and is 60')
    assert "Warning" not in get(api, "/api/positions").headers
    assert get(api, "/api/health").json["stale"]


def test_access_is_by_document(root: Path) -> None:
    api = make_api(root, levels=PUBLIC | {"positions": "off", "conversations": "token"}, tokens=[TOKEN])

    assert get(api, "/api/trades").status == 200
    assert get(api, "/api/positions").status == 404
    refused = get(api, "/api/conversations")
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, 'Bearer realm="nof0"')
    assert get(api, "/api/conversations", authorization=f"Bearer {TOKEN}x").status == 401
    assert get(api, "/api/conversations", authorization=TOKEN).status == 401
    admitted = get(api, "/api/conversations", authorization=f"Bearer {TOKEN}")
    assert admitted.status == 200
    assert admitted.headers["Cache-Control"].startswith("private")


def test_the_access_of_analytics_holds_for_each_trader(root: Path) -> None:
    assert get(make_api(root, levels=PUBLIC | {"analytics": "off"}), "/api/analytics/ann").status == 404


def test_other_origins_are_off_unless_named(root: Path, api: ReadApi) -> None:
    here = "https://board.example.com"
    assert not any(name.startswith("Access-") for name in get(api, "/api/trades", origin=here).headers)
    open_api = make_api(root, origins=[here])
    assert get(open_api, "/api/trades", origin=here).headers["Access-Control-Allow-Origin"] == here
    assert "Origin" in get(open_api, "/api/trades", origin=here).headers["Vary"]
    assert "Access-Control-Allow-Origin" not in get(open_api, "/api/trades", origin="https://other.example").headers
    asked = get(open_api, "/api/trades", "OPTIONS", origin=here)
    assert (asked.status, asked.headers["Access-Control-Allow-Methods"]) == (204, "GET, HEAD, OPTIONS")


def test_a_foreign_host_is_refused(api: ReadApi) -> None:
    assert get(api, "/api/trades", host="evil.example").status == 400


def test_everything_else_is_django(root: Path, api: ReadApi) -> None:
    for path in ("/", "/admin/", "/api/v1/traders", "/api/v1/", "/apiary"):
        assert get(api, path).content == b"django"
    assert get(make_api(root, behind=None), "/admin/").status == 404
    assert get(make_api(root, behind=None), "/api/trades").status == 200


def test_the_engine_api_can_be_served_without_the_admin(root: Path) -> None:
    only = make_api(root, behind_at=("/api/v1/",))

    assert [get(only, path).status for path in ("/admin/", "/", "/api/v1/token", "/api/trades")] == [404, 404, 200, 200]


def test_a_delay_shows_the_newest_run_that_is_old_enough(tmp_path: Path) -> None:
    for minutes in (30, 20, 5, 0):
        make_run(tmp_path, now_ms() - minutes * 60_000, mark=f"{minutes} ago")
    delayed = make_api(tmp_path, delay_ms=15 * 60_000)

    assert get(delayed, "/api/trades").json["trades"] == ["20 ago"]
    assert get(make_api(tmp_path, delay_ms=3_600_000), "/api/trades").status == 503


def test_many_threads_see_whole_runs_while_they_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "LOOK_SECONDS", 0.0)
    make_run(tmp_path, 1_000, mark="0")
    api, stop, wrong = make_api(tmp_path), threading.Event(), list[Any]()

    def ask() -> None:
        seen = 0
        while not stop.is_set():
            answer = get(api, "/api/account-totals?lastHourlyMarker=2")
            marks = {row["mark"] for row in answer.json["accountTotals"]}
            if answer.status != 200 or len(marks) != 1 or int(next(iter(marks))) < seen:
                wrong.append(answer)
            seen = int(next(iter(marks)))
            time.sleep(0.001)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1, 15):
        make_run(tmp_path, 1_000 + number, mark=str(number))
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


def test_metrics_are_prometheus_text(root: Path, api: ReadApi) -> None:
    status.write(
        root,
        ExportStatus(
            at=time.time(),
            pid=1,
            postgres=ServerSeen(is_up=True, at=time.time()),
            redis=ServerSeen(is_up=False, error=verbatim("does not answer")),
            cycles=7,
            config_versions={"ann": 3},
            live_ages={"nof0:price:latest": 2.5},
            live_persisted={"nof0:price:latest": 4},
            sync_traders=3,
            sync_written=2,
        ),
    )
    answer = get(api, "/metrics")
    text = answer.content.decode()

    assert answer.headers["Content-Type"].startswith("text/plain")
    for line in (
        "nof0_export_cycles_total 7.0",
        'nof0_config_version{trader="ann"} 3.0',
        'nof0_live_store_age_seconds{key="nof0:price:latest"} 2.5',
        'nof0_live_store_persisted_total{key="nof0:price:latest"} 4.0',
        "nof0_redis_up 0.0",
        "nof0_sync_traders 3.0",
        "nof0_sync_written 2.0",
    ):
        assert line in text
    assert 'nof0_document_bytes{document="trades",encoding="gzip"}' in text
    health = get(api, "/api/health").json
    assert (health["postgres"]["state"], health["redis"]["state"]) == ("up", "down")


def test_what_a_silent_exporter_saw_nobody_knows_now(root: Path, api: ReadApi) -> None:
    at = time.time() - 1000
    status.write(
        root, ExportStatus(at=at, pid=1, postgres=ServerSeen(is_up=True, at=at), redis=ServerSeen(is_up=True, at=at))
    )
    health = get(api, "/api/health").json

    assert (health["postgres"]["state"], health["redis"]["state"]) == ("unknown", "unknown")
    assert 995 < health["postgres"]["age_seconds"] < 1005


def poll(api: ReadApi, path: str, tags: dict[str, str]) -> Any:
    """As the dashboard's proxy does: with the validators of the answer before."""
    answer = get(api, path, accept="application/json", accept_encoding="gzip", if_none_match=tags.get(path, '""'))
    tags[path] = answer.headers["ETag"]
    return answer


def test_a_dashboard_that_polls_is_told_of_changes_only(root: Path) -> None:
    api, tags = make_api(root), dict[str, str]()
    paths = [
        "/api/crypto-prices?path=crypto-prices",
        "/api/account-totals?path=account-totals",
        f"/api/account-totals?lastHourlyMarker={HOURS - 1}&path=account-totals",
        "/api/trades?path=trades",
        "/api/leaderboard?path=leaderboard",
        "/api/analytics?path=analytics",
        "/api/conversations?path=conversations",
    ]
    assert [poll(api, path, tags).status for path in paths] == [200] * len(paths)
    assert [poll(api, path, tags).status for path in paths] == [304] * len(paths)
    make_run(root, now_ms() + 1, mark="b")
    time.sleep(current.LOOK_SECONDS + 0.1)
    assert [poll(api, path, tags).status for path in paths] == [200] * len(paths)
