"""The pages of a site with many people, over the history of years: log, past, bulk edit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from django.db import connection
from django.test import Client
from django.urls import reverse

from benchmarks.browser import HOW, Answers, Page, ask, measured, signed_in
from benchmarks.fleet import write_fleet
from benchmarks.long_history import write_long_history, write_years
from benchmarks.meter import percentile
from benchmarks.report import Table, seconds
from benchmarks.servers import empty_tables
from traders.manager_yaml.reader import read_manager_yaml
from traders.schema import jsonio
from traders.sync.services import sync

VERSIONS = 20
BUSY, OTHER = "trader_00000", "trader_00007"
BUSY_VERSIONS = 1_000
ROUND = timedelta(days=19)
CHANGED_AT_ONCE = 1_000
SAVES = 9
LISTING, LOG = "admin:traders_traderconfig_changelist", "admin:traders_changelog"


def run(directory: Path, sizes: Sequence[int], say: Callable[[str], None]) -> list[Table]:
    """The largest fleet beside one of a tenth: what grows with the fleet is seen in the columns of both."""
    fleets = (max(sizes) // 10, max(sizes))
    found = {}
    for traders in fleets:
        say(f"a site with {traders:,} traders and {traders * VERSIONS:,} versions")
        start = _build(directory / f"site-{traders}", traders)
        client = signed_in()
        pages = {name: measured(client, page) for name, page in _pages(start, traders)}
        found[traders] = (pages, _saves(client, min(CHANGED_AT_ONCE, traders)))
    return [_pages_table(found, fleets), _saves_table(found, fleets)]


def _build(directory: Path, traders: int) -> datetime:
    """When the fleet was made."""
    empty_tables()
    start = datetime.now(UTC).replace(microsecond=0) - (VERSIONS + 1) * ROUND
    sync(file=read_manager_yaml(write_fleet(directory, traders=traders)), actor="bench")
    write_years(start=start, versions=VERSIONS, a_round=ROUND)
    write_long_history(BUSY, versions=BUSY_VERSIONS, step=ROUND / 2 / BUSY_VERSIONS)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return start


def _pages(start: datetime, traders: int) -> Iterator[tuple[str, Page]]:
    early, late = start + 3 * ROUND, start + (VERSIONS - 2) * ROUND
    sets = _sets()
    middle, large = sets[len(sets) // 2][0], max(sets, key=lambda found: found[1])[0]
    history = reverse("admin:traders_traderconfig_history", args=[BUSY])
    yield "history of one trader, newest", Page(history)
    yield "history, oldest", Page(f"{history}?page=999")
    yield "its changes of leverage", _log(config=BUSY, path="leverage")
    yield "change log, newest", _log()
    yield "change log, in the middle", _log(before=middle)
    yield "change log: leverage", _log(path="leverage")
    yield "change log: leverage, in the middle", _log(path="leverage", before=middle)
    yield "change log: a setting never changed", _log(path="detail.llm.model")
    yield "change log: one person", _log(actor="lee")
    yield "change log: one person and leverage", _log(actor="lee", path="leverage")
    yield "change log: syncs", _log(source="sync")
    yield "change log: one trader", _log(config=OTHER)
    yield "change log: raises risk", _log(risk="raises")
    yield "change log: raises risk, in the middle", _log(risk="raises", before=middle)
    yield "change log: leverage that raises risk", _log(risk="raises", path="leverage")
    yield "change log: one trader, raises risk", _log(risk="raises", config=BUSY)
    yield (
        "change log: a month that raises risk",
        _log(risk="raises", since=f"{late:%F}", until=f"{late + timedelta(30):%F}"),
    )
    yield "change log: a month long ago", _log(since=f"{early:%F}", until=f"{early + timedelta(days=30):%F}")
    yield "change log: until long ago", _log(until=f"{early:%F}")
    yield (
        "change log: a month and leverage",
        _log(since=f"{late:%F}", until=f"{late + timedelta(30):%F}", path="leverage"),
    )
    yield f"a change set of {traders:,} opened", Page(reverse("admin:traders_changeset", args=[large]))
    for when, moment in (("early", early), ("late", late)):
        at = urlencode({"at": f"{moment:%FT%T}"})
        yield f"as of: list, {when}", Page(f"{reverse(LISTING)}?{at}")
        yield f"as of: list searched, {when}", Page(f"{reverse(LISTING)}?{at}&q=trader_0042")
        yield f"as of: last page, {when}", Page(f"{reverse(LISTING)}?{at}&p={-(-traders // 50)}")
        yield f"as of: one trader, {when}", Page(f"{reverse('admin:traders_traderconfig_past', args=[BUSY])}?{at}")
    yield "bulk edit: all traders chosen", Page(f"{reverse('admin:traders_bulk')}?all=1")
    ids = _ids(traders)
    yield f"bulk edit: preview of {CHANGED_AT_ONCE:,}", _bulk(ids[:CHANGED_AT_ONCE], 80, step="preview")
    yield "bulk edit: preview of all", _bulk(ids, 80, step="preview")


def _log(**asked: object) -> Page:
    return Page(f"{reverse(LOG)}?{urlencode(asked)}")


def _bulk(ids: Sequence[str], value: int, **more: str) -> Page:
    posted = {"chosen": " ".join(ids), "reason": "less risk", "op-0-path": "detail.risk.min_confidence"}
    return Page(reverse("admin:traders_bulk"), posted | {"op-0-do": "SET", "op-0-value": str(value), **more})


def _saves(client: Client, traders: int) -> list[float]:
    """Seconds of each save: the request that makes a version of so many traders."""
    return [_save(client, traders, 81 + number) for number in range(SAVES)]


def _save(client: Client, traders: int, value: int) -> float:
    ids = _ids(traders)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, version FROM trader_config WHERE id = ANY (%s)", [ids])
        seen = jsonio.dumps(dict(cursor.fetchall()))
    return ask(client, _bulk(ids, value, step="save", seen=seen), expected=302)[0]


def _ids(limit: int) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM trader_config ORDER BY id LIMIT %s", [limit])
        return [trader_id for (trader_id,) in cursor.fetchall()]


def _sets() -> list[tuple[int, int]]:
    """(number, size) of each change set after the first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT change_set, count(*) FROM trader_config_versions WHERE version > 1 GROUP BY 1 ORDER BY 1"
        )
        return cursor.fetchall()


Found = dict[int, tuple[dict[str, Answers], list[float]]]


def _pages_table(found: Found, fleets: Sequence[int]) -> Table:
    small, large = (found[traders][0].values() for traders in fleets)
    names = found[max(fleets)][0]
    return Table(
        f"Pages over a history, {fleets[0]:,} traders beside {fleets[1]:,}",
        ("Page", *(f"{traders:,}: {what}" for what in ("p50 ms", "p95 ms", "queries") for traders in fleets), "KB"),
        [
            (
                name,
                *(answers.at(share) for share in (0.5, 0.95) for answers in (few, many)),
                *(str(answers.queries) for answers in (few, many)),
                f"{many.kilobytes:.0f}",
            )
            for name, few, many in zip(names, small, large, strict=True)
        ],
        (HOW,),
    )


def _saves_table(found: Found, fleets: Sequence[int]) -> Table:
    return Table(
        f"Save of a bulk edit of {CHANGED_AT_ONCE:,} traders",
        ("Fleet", "p50 s", "slowest s"),
        [
            (f"{traders:,}", seconds(percentile(found[traders][1], 0.5)), seconds(max(found[traders][1])))
            for traders in fleets
        ],
    )
