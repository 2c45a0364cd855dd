"""Asks the WSGI application as a server would."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trading.export.directory.manifest import DocumentSource, Manifest, ManifestEntry, Slices
from trading.export.directory.runs import ExportDirectory
from trading.export.documents.names import Document
from trading.export.documents.wire import closing, encode, opening
from trading.export.public_api.access import DocumentAccess
from trading.export.public_api.application import ReadApi
from trading.export.public_api.current import CurrentRun

HOURS = 5
IDLE_HOUR = 1
PUBLIC = dict.fromkeys((*Document, "health", "metrics"), "public")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        content = gzip.decompress(self.content) if self.headers.get("Content-Encoding") == "gzip" else self.content
        return json.loads(content)


def make_run(root: Path, as_of: int, *, mark: str = "a", failing: str | None = None) -> None:
    """Every document, each with `mark` in it; account-totals with two rows an hour, and one of an idle trader."""
    directory = ExportDirectory(root)
    run, entries = directory.begin(as_of), []
    for name in (*Document, "analytics/ann"):
        if name == failing:
            entries.append(
                ManifestEntry(name=name, source=DocumentSource.PREVIOUS, as_of=as_of, is_stale=True, error="it broke")
            )
        elif name == Document.ACCOUNT_TOTALS:
            body, slices = _totals(as_of, mark)
            entries.append(
                run.put(ManifestEntry(name=name, source=DocumentSource.LIVE, as_of=as_of, slices=slices), body)
            )
        else:
            body = encode({str(name): [mark], "filler": "x" * 2000, "serverTime": as_of})
            entries.append(run.put(ManifestEntry(name=name, source=DocumentSource.LIVE, as_of=as_of), body))
    directory.publish(run, Manifest(as_of, 12, entries))


def _totals(as_of: int, mark: str) -> tuple[bytes, Slices]:
    """`n` is the trader: 0 and 1 have a row each hour, 2 has only one, of IDLE_HOUR."""
    places = sorted([*((hour, n) for hour in range(HOURS) for n in (0, 1)), (IDLE_HOUR, 2)])
    head, tail = opening("accountTotals"), closing(lastHourlyMarkerRead=HOURS - 1, serverTime=as_of)
    rows, at = [], len(head)
    markers: dict[int, int] = {}
    newest: dict[int, tuple[int, int]] = {}
    for hour, n in places:
        row = encode({"hour": hour, "n": n, "mark": mark, "filler": "x" * 300})
        markers.setdefault(hour, at)
        newest[n] = at, len(row)
        rows.append(row)
        at += len(row) + 1
    slices = Slices(len(head), len(tail), list(markers.items()), sorted(newest.values()))
    return head + b",".join(rows) + tail, slices


def django(environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"django"]


def make_api(root: Path, **how: Any) -> ReadApi:
    given: dict[str, Any] = {"hosts": ("localhost",), "stale_seconds": 180.0, "behind": django, **how}
    levels = given.pop("levels", PUBLIC)
    public = [name for name, level in levels.items() if level == "public"]
    current = CurrentRun(root, given.pop("delay_ms", 0), public=public, fresh_seconds=given["stale_seconds"])
    access = DocumentAccess(levels, given.pop("tokens", ()), given.pop("origins", ()))
    return ReadApi(root=root, current=current, access=access, **given)


def get(api: Callable[..., Any], url: str, method: str = "GET", **headers: str) -> Answer:
    path, _, query = url.partition("?")
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "HTTP_HOST": "localhost:8000"}
    environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    said: list[Any] = []
    content = b"".join(api(environ, lambda status, sent: said.extend((status, sent))))
    merged: dict[str, str] = {}
    for name, value in said[1]:
        merged[name] = f"{merged[name]}, {value}" if name in merged else value
    return Answer(int(said[0].split()[0]), merged, content)
