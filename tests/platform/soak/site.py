"""A site with a fleet and everything that runs for it, each part of which a test kills and starts again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from nof0site.embedded.paths import DataPaths
from tests.platform.forks import Forked
from tests.platform.processes import CHECKOUT, Machine, answers, free_port, wait_for
from tests.platform.soak.fleet import PaperFleet, Tried, name_of, paper_fleet
from tests.trading.export.whole import Pruned, whole_run
from tests.trading.imports.journal_files import cycles

# No trade may fall out of the documents, so that they can be compared with the table.
ALL_TRADES = {"EXPORT_TRADES": "100000"}
# Of a machine that is busy with other tests.
PATIENCE_SECONDS = 120.0
ARENA_FILES = 60


@dataclass
class Site:
    """`fleet` with a web server, an exporter, and managers of the shares. Its last trader is not run: decisions are
    imported into it."""

    fleet: PaperFleet
    traders: int
    shares: tuple[str, ...] = ("1/1",)
    has_exporter: bool = True
    port: int = field(default_factory=free_port)
    web: subprocess.Popen[bytes] | None = None
    exporter: Forked | None = None
    managers: dict[str, Forked] = field(default_factory=dict)
    files: int = 0

    @property
    def names(self) -> list[str]:
        """Of the traders that are run."""
        return [name_of(number) for number in range(self.traders)]

    @property
    def export(self) -> Path:
        return self.fleet.directory / "export"

    def start(self) -> None:
        """What does not run."""
        if self.web is None or self.web.poll() is not None:
            with (self.fleet.directory / "logs" / "web.log").open("ab") as log:
                self.web = subprocess.Popen(
                    [sys.executable, "manage.py", "serve", "--port", str(self.port)],
                    cwd=CHECKOUT,
                    env=self.fleet.machine.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    process_group=0,
                )
            self.fleet.machine.processes.append(self.web)  # type: ignore[arg-type]
            wait_for(lambda: answers(self.port), PATIENCE_SECONDS)
        if self.has_exporter and (self.exporter is None or not self.exporter.is_running):
            self.exporter = self.fleet.forks.start("export_json", "--every", "1", "--dir", str(self.export))
        for share in self.shares:
            if share not in self.managers or not self.managers[share].is_running:
                self.managers[share] = self.fleet.manager("--share", share)

    def await_work(self) -> None:
        """Until every part has done something since now."""
        before, exported = self.fleet.cycles(), self.exported_at()
        names = [name for name in self.names if name in self._not_stopped()]
        wait_for(lambda: answers(self.port), PATIENCE_SECONDS)
        wait_for(lambda: self.exported_at() > exported, PATIENCE_SECONDS)
        # A trader whose entries are banned and that holds nothing does not decide.
        wait_for(lambda: not names or any(self.fleet.cycles()[name] > before.get(name, 0) for name in names))

    def exported_at(self) -> int:
        """Of the run that readers see; 0 before the first."""
        while (self.export / "current").is_symlink():
            with contextlib.suppress(Pruned):
                return whole_run(self.export)[0].as_of
        return 0

    def note(self, text: str) -> None:
        """Beside the output of the processes, for who looks for the cause of a failure."""
        with (self.fleet.directory / "logs" / "kills.log").open("a") as file:
            file.write(f"{datetime.now(UTC):%H:%M:%S.%f} {text}\n")

    def kill(self, victim: str) -> None:
        """kill -9."""
        self.note(f"kill {victim}")
        if victim == "web":
            assert self.web is not None
            self.web.kill()
            self.web.wait()
            wait_for(lambda: not answers(self.port))
        elif victim == "manager":
            for one in self.managers.values():
                one.kill()
        elif victim == "exporter":
            assert self.exporter is not None
            self.exporter.kill()
        elif victim in ("postgres", "redis"):
            paths = DataPaths(self.fleet.machine.data_dir)
            self.fleet.machine.kill_servers_of(paths.cluster if victim == "postgres" else paths.valkey)
        else:
            raise AssertionError(victim)

    def restart(self, server: str) -> None:
        """As its operator does: it ends in order, and whatever needs it next starts it."""
        self.note(f"restart {server}")
        paths = DataPaths(self.fleet.machine.data_dir)
        file = paths.cluster / "postmaster.pid" if server == "postgres" else paths.valkey / "valkey.pid"
        pid = int(file.read_text().split()[0])
        # PostgreSQL's fast shutdown ends the sessions.
        os.kill(pid, signal.SIGINT if server == "postgres" else signal.SIGTERM)
        wait_for(lambda: not psutil.pid_exists(pid))

    def command(self, victim: str) -> list[str]:
        """The command line of a victim that runs to its end, with something to do."""
        if victim == "sync":
            self._declare()
            return ["sync_traders"]
        if victim == "import":
            return ["import_journal", str(self._cycle_files()), "--rejects", str(self.fleet.directory / "rejects")]
        return ["livestore", "rebuild"]

    def prove(self) -> Tried:
        """Everything at rest: the invariants, the documents, the live store, the file."""
        assert self.exporter is not None
        self.exporter.kill()
        self.fleet.end(*self.managers.values())
        run = self.fleet.forks.run
        # First: what moves is old soon, and verify says so.
        run("livestore", "verify")
        run("export_json", "--once", "--dir", str(self.export))
        tried = self.fleet.prove(self.export)
        run("sync_traders", "--check")
        [(imported,)] = self.fleet.rows("SELECT count(*) FROM decision_journal WHERE detail -> 'origin' IS NOT NULL")
        assert imported == self.files
        return tried

    def _not_stopped(self) -> set[str]:
        rows = self.fleet.rows(
            "SELECT trader_id FROM trader_runtime_state WHERE is_running AND detail #>> '{desired,state}' = 'running'"
        )
        return {name for (name,) in rows}

    def _declare(self) -> None:
        """Another largest position of each trader in the file: a path that nothing else changes."""
        path = self.fleet.directory / "manager.yaml"
        text = path.read_text()
        before, after = ("4000", "4001") if "max_position_size_usd: 4000" in text else ("4001", "4000")
        half = path.with_suffix(".half")
        half.write_text(text.replace(f"max_position_size_usd: {before}", f"max_position_size_usd: {after}"))
        half.replace(path)

    def _cycle_files(self) -> Path:
        """More of them than before."""
        folder = self.fleet.directory / "cycles"
        folder.mkdir(exist_ok=True)
        now = datetime.now(UTC)
        for number in range(self.files + 1, self.files + ARENA_FILES + 1):
            name = f"cycle_{now:%Y%m%d_%H%M%S}_{number:05}.json"
            # Without a version: it follows from the time.
            decided = {"timestamp": cycles.at(now), "trader_id": name_of(self.traders), "config_version": None}
            cycles.write(folder, name, cycle_number=number, **decided)
        self.files += ARENA_FILES
        return folder


@contextlib.contextmanager
def working_site(machine: Machine, directory: Path, traders: int, **options: Any) -> Iterator[Site]:
    """`options`: those of the fleet's files, and of `Site`."""
    own = {name: options.pop(name) for name in ("shares", "has_exporter") if name in options}
    # The exporter is a victim of its own, beside the web server.
    machine.settings = {"EXPORT_SECONDS": "0", "ALARM_SECONDS": "0", **ALL_TRADES}
    with paper_fleet(machine, directory, traders + 1, idle=1, **options) as fleet:
        site = Site(fleet, traders, **own)
        site.start()
        yield site
