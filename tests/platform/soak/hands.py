"""An operator and a tool at work on a site: they edit, pin, pause and stop through the engine API, whatever is killed
meanwhile, and remember what they were told."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.platform.soak.fleet import PaperFleet

SCOPES = ("read-config", "write-config", "control", "stop")
PATHS = {"detail.risk.min_confidence": range(6), "detail.risk.max_positions": range(2, 6)}
# How often each is done, of all that is done.
DEEDS = {"edit": 60, "pause": 6, "resume": 12, "pin": 6, "unpin": 6, "fleet stop": 2, "fleet release": 8}
# An answer that does not come tells nothing: it may have been written.
PATIENCE_SECONDS = 20.0


def token(fleet: PaperFleet, name: str, *scopes: str) -> str:
    said = fleet.forks.run("api_tokens", "create", name, *(part for scope in scopes for part in ("--scope", scope)))
    return next(word for word in said.split() if word.startswith("nof0_"))


def client(fleet: PaperFleet, port: int, name: str, *scopes: str) -> httpx2.Client:
    """An engine API's client with a token of its own."""
    headers = {"Authorization": f"Bearer {token(fleet, name, *scopes)}"}
    return httpx2.Client(base_url=f"http://127.0.0.1:{port}/api/v1", headers=headers, timeout=PATIENCE_SECONDS)


@dataclass(frozen=True)
class Acknowledged:
    """An edit that the site said it had saved."""

    trader_id: str
    version: int
    path: str
    value: Any


@dataclass
class Hands:
    """`pause_seconds`: between two deeds. `errors` are answers that no client may get."""

    api: httpx2.Client
    traders: list[str]
    seed: int
    pause_seconds: float = 0.05
    acknowledged: list[Acknowledged] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="hands", daemon=True)

    def __enter__(self) -> Hands:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(2 * PATIENCE_SECONDS)
        assert self.errors == []

    def free(self) -> None:
        """Ends the stop of the fleet and every pause and pin that they left."""
        self.ask("POST", "/fleet/controls", kind="release", reason="the end")
        for name in self.traders:
            for kind in ("resume", "unpin"):
                self.ask("POST", f"/traders/{name}/controls", kind=kind, reason="the end")

    def ask(self, method: str, place: str, **body: Any) -> Any:
        """The answer; None where there was none, or the site said that it could not."""
        try:
            answer = self.api.request(method, place, json=body or None)
        except httpx2.TransportError:
            self.answers["none"] += 1
            return None
        self.answers[str(answer.status_code)] += 1
        if answer.status_code in (200, 201):
            return answer.json()
        if answer.status_code not in (409, 422, 429, 503):
            self.errors.append(f"{method} {place} {body}: {answer.status_code} {answer.text[:300]}")
        return None

    def _work(self) -> None:
        deeds, weights = list(DEEDS), list(DEEDS.values())
        while not self._is_over.wait(self.pause_seconds):
            deed, name = self._chance.choices(deeds, weights)[0], self._chance.choice(self.traders)
            if deed == "edit":
                self._edit(name)
            elif deed.startswith("fleet"):
                self.ask("POST", "/fleet/controls", kind=deed.removeprefix("fleet "), reason="a test")
            elif deed == "pin":
                self._pin(name)
            else:
                self.ask("POST", f"/traders/{name}/controls", kind=deed, reason="a test")

    def _edit(self, name: str) -> None:
        standing = self.ask("GET", f"/configs/{name}/versions?limit=1")
        if standing is None:
            return
        path = self._chance.choice(list(PATHS))
        value, base = self._chance.choice(PATHS[path]), standing["versions"][0]["version"]
        saved = self.ask("PATCH", f"/configs/{name}", expected_version=base, reason="a test", set={path: value})
        if saved is not None and saved["change_set"] is not None:
            self.acknowledged.append(Acknowledged(name, saved["version"], path, value))

    def _pin(self, name: str) -> None:
        standing = self.ask("GET", f"/configs/{name}/versions?limit=1")
        if standing is not None:
            version = self._chance.randint(1, standing["versions"][0]["version"])
            self.ask("POST", f"/traders/{name}/controls", kind="pin", version=version, reason="a test")


def unkept(fleet: PaperFleet, acknowledged: list[Acknowledged]) -> list[Acknowledged]:
    """Those that are not stored as they were acknowledged."""
    stored = {
        (name, version): snapshot
        for name, version, snapshot in fleet.rows(
            "SELECT trader_id, version, config_snapshot FROM trader_config_history"
        )
    }
    return [one for one in acknowledged if _at(stored.get((one.trader_id, one.version)), one.path) != one.value]


def _at(snapshot: Any, path: str) -> Any:
    for part in path.split("."):
        snapshot = snapshot.get(part) if isinstance(snapshot, dict) else None
    return snapshot
