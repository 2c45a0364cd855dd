"""The admin's pages with a large fleet and a long history, as a browser asks for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from django.db import connection
from django.urls import reverse

from benchmarks.browser import HOW, Answers, Page, measured, signed_in
from benchmarks.fleet import write_fleet
from benchmarks.long_history import write_long_history
from benchmarks.report import Table
from benchmarks.servers import empty_tables
from traders.manager_yaml.reader import read_manager_yaml
from traders.sync.services import sync

VERSIONS = 1_000
OLDEST = "trader_00000"


def run(directory: Path, sizes: Sequence[int], say: Callable[[str], None]) -> list[Table]:
    traders = max(sizes)
    say(f"pages of the admin with {traders:,} traders")
    empty_tables()
    sync(file=read_manager_yaml(write_fleet(directory / "pages", traders=traders)), actor="bench")
    write_long_history(OLDEST, versions=VERSIONS - 1, step=timedelta(microseconds=1))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    client = signed_in()
    listing = reverse("admin:traders_traderconfig_changelist")
    history = reverse("admin:traders_traderconfig_history", args=[OLDEST])
    pages = {
        f"traders, first page of {traders:,}": listing,
        "traders, last page": f"{listing}?older=trader_{traders - 51:05}",
        "traders, a search": f"{listing}?q=trader_0042",
        "traders, by allocation": f"{listing}?o=-6",
        "traders, by model": f"{listing}?o=4",
        f"history of {VERSIONS:,} versions, newest": history,
        "history, oldest": f"{history}?page={VERSIONS // 25}",
        "two versions side by side": reverse("admin:traders_traderconfig_compare", args=[OLDEST]),
        "form of a trader": reverse("admin:traders_traderconfig_change", args=[OLDEST]),
    }
    return [
        Table(
            "Pages of the admin",
            ("Page", "p50 ms", "p95 ms", "queries", "KB"),
            [(name, *_cells(measured(client, Page(url)))) for name, url in pages.items()],
            (HOW,),
        )
    ]


def _cells(answers: Answers) -> tuple[str, ...]:
    return answers.at(0.5), answers.at(0.95), str(answers.queries), f"{answers.kilobytes:.0f}"
