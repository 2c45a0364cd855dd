"""The nginx configuration of docs/api.md, as it is printed there."""

from __future__ import annotations

import http.server
import json
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.processes import CHECKOUT, free_port, wait_for
from tests.trading.export.public_api.client import make_run
from trading.export.documents.names import Document

NGINX = shutil.which("nginx")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


class Site(http.server.BaseHTTPRequestHandler):
    """Says which path was handed on."""

    def do_GET(self) -> None:
        content = json.dumps({"site": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    make_run(tmp_path / "export", time.time_ns() // 1_000_000)
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    port = free_port()
    config = tmp_path / "nginx.conf"
    config.write_text(_config(tmp_path, port, site.server_port))
    process = subprocess.Popen([str(NGINX), "-c", str(config)], stderr=subprocess.PIPE)
    try:
        wait_for(lambda: process.poll() is not None or _listens(port))
        assert process.poll() is None, (tmp_path / "error.log").read_text()
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=60)
        site.shutdown()
        site.server_close()


def _config(scratch: Path, port: int, site_port: int) -> str:
    [example] = re.findall(r"```nginx\n(.*?)```", (CHECKOUT / "docs" / "api.md").read_text(), re.DOTALL)
    server = (
        example.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        .replace("/srv/nof0/export", str(scratch / "export"))
        .replace("127.0.0.1:8000", f"127.0.0.1:{site_port}")
    )
    places = " ".join(
        f"{name}_temp_path {scratch}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"pid {scratch}/pid; error_log {scratch}/error.log; daemon off; master_process off; events {{}}\n"
        f"http {{ access_log off; {places}\n{server} }}\n"
    )


def _listens(port: int) -> bool:
    try:
        return bool(get(port, "/api/trades")[0])
    except OSError:
        return False


def get(port: int, path: str, **headers: str) -> tuple[bytes, dict[str, str]]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.read(), dict(response.headers)


def test_nginx_serves_the_files_and_hands_on_the_rest(port: int, tmp_path: Path) -> None:
    current = tmp_path / "export" / "current"
    for name in (*Document, "analytics/ann"):
        content, headers = get(port, f"/api/{name}")
        assert content == (current / f"{name}.json").read_bytes(), name
        assert headers["Content-Type"] == "application/json"
        packed, headers = get(port, f"/api/{name}", **{"Accept-Encoding": "gzip"})
        assert packed == (current / f"{name}.json.gz").read_bytes()
        assert headers["ETag"]
    for path in (
        *("/api/account-totals?lastHourlyMarker=3", "/api/health", "/metrics"),
        *("/api/v1/traders", "/api/nothing", "/admin/"),
    ):
        assert json.loads(get(port, path)[0]) == {"site": path}, path
