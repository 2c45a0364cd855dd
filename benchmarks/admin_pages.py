"""The admin's pages with a large fleet and a long history, as a browser asks for them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from benchmarks.fleet import write_fleet
from benchmarks.meter import percentile
from benchmarks.report import Table
from benchmarks.servers import empty_tables
from traders.manager_yaml.reader import read_manager_yaml
from traders.services.sync import sync

VERSIONS = 1_000
WARM_UP = 5
REQUESTS = 40
OLDEST = "trader_00000"

# Written as a program writing SQL would, since a thousand edits would take a minute; the database checks each version.
_LONG_HISTORY = """
INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,
    changed_fields, change_set, source, history_date, history_change_reason, history_type, history_user_id)
SELECT id, n, exchange_provider, market_provider, allocation_pct,
       jsonb_set(detail, '{risk,min_confidence}', to_jsonb(n %% 100)), '{detail.risk.min_confidence}',
       nextval('config_change_set_seq'), 'admin', history_date + n * interval '1 microsecond',
       'tuning, round ' || n, '~', 'mei'
  FROM trader_config_versions, generate_series(2, %(versions)s) AS n
 WHERE id = %(trader)s AND version = 1 ORDER BY n
"""
_HEAD = """
UPDATE trader_config c SET version = v.version, detail = v.detail
  FROM trader_config_versions v WHERE v.id = c.id AND c.id = %(trader)s AND v.version = %(versions)s
"""


def run(directory: Path, sizes: Sequence[int], say: Callable[[str], None]) -> list[Table]:
    traders = max(sizes)
    say(f"pages of the admin with {traders:,} traders")
    empty_tables()
    sync(file=read_manager_yaml(write_fleet(directory / "pages", traders=traders)), actor="bench")
    _write_long_history()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    warnings.filterwarnings("ignore", "No directory at", UserWarning)  # static files were not collected
    client = Client(HTTP_HOST="localhost")
    client.force_login(get_user_model().objects.create_superuser("bench"))
    listing = reverse("admin:traders_traderconfig_changelist")
    history = reverse("admin:traders_traderconfig_history", args=[OLDEST])
    pages = {
        f"traders, first page of {traders:,}": listing,
        "traders, last page": f"{listing}?p={-(-traders // 50)}",
        "traders, a search": f"{listing}?q=trader_0042",
        "traders, by allocation": f"{listing}?o=-7",
        f"history of {VERSIONS:,} versions, newest": history,
        "history, oldest": f"{history}?page={VERSIONS // 25}",
        "two versions side by side": reverse("admin:traders_traderconfig_compare", args=[OLDEST]),
        "form of a trader": reverse("admin:traders_traderconfig_change", args=[OLDEST]),
    }
    return [
        Table(
            "Pages of the admin",
            ("Page", "p50 ms", "p95 ms", "queries", "KB"),
            [(name, *_measured(client, url)) for name, url in pages.items()],
            (
                f"{REQUESTS} requests each through Django's test client after {WARM_UP} to warm up: the whole request "
                "in the process, with middleware and template, without network and browser.",
            ),
        )
    ]


def _write_long_history() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (_LONG_HISTORY, _HEAD):
            cursor.execute(statement, {"trader": OLDEST, "versions": VERSIONS})


def _measured(client: Client, url: str) -> tuple[str, ...]:
    for _ in range(WARM_UP):
        _get(client, url)
    found = [_get(client, url) for _ in range(REQUESTS)]
    with CaptureQueriesContext(connection) as queries:
        _, size = _get(client, url)
    milliseconds = [seconds * 1000 for seconds, _ in found]
    return (
        f"{percentile(milliseconds, 0.5):.0f}",
        f"{percentile(milliseconds, 0.95):.0f}",
        str(len(queries)),
        f"{size / 1000:.0f}",
    )


def _get(client: Client, url: str) -> tuple[float, int]:
    started = time.perf_counter()
    response = client.get(url)
    taken = time.perf_counter() - started
    if response.status_code != 200:
        raise AssertionError(f"{url} answered {response.status_code}")
    return taken, len(response.content)
