"""Tools and people edit the same traders at once, over HTTP: what was acknowledged is stored, a read behind it shows it
or what came after it, and `/changes` tells each change once, in its order."""

from __future__ import annotations

import itertools
import random
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.platform.processes import Machine, password_in, wait_for
from tests.platform.soak.forms import Forms
from tests.platform.soak.hands import Acknowledged, client, unkept
from tests.platform.soak.options import SoakOptions
from tests.platform.soak.site import Site, working_site

TRADERS = 3
TOOLS, PEOPLE = 4, 2
# A person changes this path, and each tool an extension of its own.
PERSONS = "detail.risk.min_confidence"
PATIENCE_SECONDS = 120.0


@dataclass
class Writers:
    """What all of them were told."""

    site: Site
    is_over: threading.Event = field(default_factory=threading.Event)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    told: list[tuple[str, int]] = field(default_factory=list)

    def tool(self, api: httpx2.Client, number: int, chance: random.Random) -> None:
        """Writes numbers that rise into a place of its own, by PATCH and by PUT."""
        path, written = f"detail.extra.tool_{number}", dict.fromkeys(self.site.names, 0)
        for count in itertools.count(1):
            if self.is_over.is_set():
                return
            name = chance.choice(self.site.names)
            standing = _good(api.get(f"/configs/{name}"))
            known = _at(standing["config"], path) or 0
            assert known == written[name], f"{name} has {known} of tool {number}, which wrote {written[name]} last"
            body: dict[str, Any] = {"expected_version": standing["version"], "reason": "a test"}
            if chance.random() < 0.5:
                answer = api.patch(f"/configs/{name}", json=body | {"set": {path: count}})
            else:
                _put(standing["config"], path, count)
                answer = api.put(f"/configs/{name}", json=body | {"config": standing["config"]})
            if answer.status_code == 409:
                self.stale.append(name)
                continue
            saved = _good(answer)
            written[name] = count
            self.acknowledged.append(Acknowledged(name, saved["version"], path, count))
            assert _good(api.get(f"/configs/{name}"))["version"] >= saved["version"], "an older version was read"

    def person(self, browser: httpx2.Client, chance: random.Random) -> None:
        """Opens the form of a trader, types, previews and saves."""
        while not self.is_over.is_set():
            name, value = chance.choice(self.site.names), chance.randrange(100)
            place = f"/admin/traders/traderconfig/{name}/change/"
            form = Forms(browser.get(place).text).with_field(PERSONS)
            typed = {PERSONS: [str(value)], "reason": ["a test"], "step": ["preview"]}
            preview = Forms(browser.post(place, data=form | typed).text).with_field("expected_version")
            saved = browser.post(place, data=preview | {"step": ["save"]})
            said = re.search(r"Saved version (\d+)\.", saved.text)
            if said is None:
                self.stale.append(name)
                continue
            self.acknowledged.append(Acknowledged(name, int(said[1]), PERSONS, value))

    def reader(self, api: httpx2.Client, until: Callable[[], int]) -> None:
        """Follows all changes, a few at a time, until it has seen as many as there are in the end."""
        cursor = "0"
        while True:
            answer = _good(api.get("/changes", params={"after": cursor, "wait": 1, "limit": 7}))
            self.told += [(one["config_id"], one["version"]) for one in answer["changes"]]
            if self.is_over.is_set() and not answer["changes"] and len(self.told) >= until():
                return
            cursor = answer["cursor"]


def _good(answer: httpx2.Response) -> Any:
    assert answer.status_code in (200, 201), f"{answer.request.url}: {answer.status_code} {answer.text[:500]}"
    return answer.json()


def _at(config: Any, path: str) -> Any:
    for part in path.split("."):
        config = config.get(part) if isinstance(config, dict) else None
    return config


def _put(config: Any, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        config = config.setdefault(part, {})
    config[last] = value


def logged_in(site: Site, password: str) -> httpx2.Client:
    browser = httpx2.Client(base_url=f"http://127.0.0.1:{site.port}", timeout=PATIENCE_SECONDS, follow_redirects=True)
    form = Forms(browser.get("/admin/login/").text).with_field("password")
    page = browser.post("/admin/login/", data=form | {"username": ["admin"], "password": [password]})
    assert "/login/" not in str(page.url), "the account of the first start logs in"
    return browser


def write_at_once(
    machine: Machine, directory: Path, is_enough: Callable[[Writers], bool], seconds: float, seed: int
) -> None:
    """Until it is enough, which takes so many seconds at most."""
    with working_site(machine, directory, TRADERS, shares=(), has_exporter=False) as site, ExitStack() as clients:
        password = password_in((directory / "logs" / "web.log").read_text())
        tools = [
            clients.enter_context(client(site.fleet, site.port, f"tool-{number}", "read-config", "write-config"))
            for number in range(TOOLS)
        ]
        follower = clients.enter_context(client(site.fleet, site.port, "follower", "read-config"))
        people = [clients.enter_context(closing(logged_in(site, password))) for _ in range(PEOPLE)]
        writers = Writers(site)
        with ThreadPoolExecutor(TOOLS + PEOPLE + 1) as pool:
            work = [
                *(pool.submit(writers.tool, api, n, random.Random(seed + n)) for n, api in enumerate(tools)),
                *(pool.submit(writers.person, one, random.Random(seed - n)) for n, one in enumerate(people, 1)),
            ]
            reading = pool.submit(writers.reader, follower, lambda: len(in_order(site)))
            try:
                wait_for(lambda: is_enough(writers) or any(one.done() for one in [*work, reading]), seconds)
            finally:
                writers.is_over.set()
            for one in [*work, reading]:
                one.result(timeout=PATIENCE_SECONDS)
        assert unkept(site.fleet, writers.acknowledged) == []
        assert writers.told == in_order(site)
        by_people = {(one.trader_id, one.version) for one in writers.acknowledged if one.path == PERSONS}
        assert by_people == stored_by(site, "admin"), "a person was told of each version of theirs, and of no other"
        by_tools = {(one.trader_id, one.version) for one in writers.acknowledged if one.path != PERSONS}
        assert by_tools == stored_by(site, "token:%")


def in_order(site: Site) -> list[tuple[str, int]]:
    """Every version, in the order of the commits."""
    return site.fleet.rows(
        "SELECT n.config_id, n.version FROM config_writes w JOIN config_write_versions n ON n.write_id = w.id"
        " ORDER BY w.position, n.config_id, n.version"
    )


def stored_by(site: Site, pattern: str) -> set[tuple[str, int]]:
    return set(
        site.fleet.rows(f"SELECT trader_id, version FROM trader_config_history WHERE changed_by LIKE '{pattern}'")
    )


def have_met(writers: Writers) -> bool:
    """Tools and people have saved, and some of them on a version that was not the newest any more."""
    people = [one for one in writers.acknowledged if one.path == PERSONS]
    return len(writers.acknowledged) - len(people) >= 20 and len(people) >= 2 and len(writers.stale) >= 5


@pytest.mark.faults
def test_writers_at_once_lose_nothing_and_see_nothing_old(migrated_machine: Machine, tmp_path: Path) -> None:
    write_at_once(migrated_machine, tmp_path, have_met, PATIENCE_SECONDS, 1)


@pytest.mark.soak
def test_writers_at_once_for_long(migrated_machine: Machine, tmp_path: Path, soak: SoakOptions) -> None:
    seconds = soak.minutes * 12
    deadline = time.monotonic() + seconds
    write_at_once(migrated_machine, tmp_path, lambda _: time.monotonic() > deadline, 2 * seconds, soak.seed)
