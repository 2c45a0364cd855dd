"""A fleet that trades on paper while a test kills parts of its site: its files, its managers, and what must hold."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from nof0site.embedded.paths import DataPaths
from tests.platform.forks import Forked, Forks
from tests.platform.processes import PATIENCE_SECONDS, Machine, wait_for

COMMANDS = (
    *("backup", "check_record", "export_json", "import_journal", "livestore", "restore", "run_manager"),
    *("sync_traders", "api_tokens"),
)
TRADER = """
  - id: {name}
    name: {name}
    exchange_provider: paper_trading
    market_provider: made_up
    order_style: market_ioc
    market_ioc_slippage_bps: 100
    prompt_template: system.tmpl
    executor_prompt_template: executor.tmpl
    model: rules
    decision_interval: {seconds}s
    auto_start: {starts}
    allocation_pct: {share}
    risk_params: {{max_positions: {positions}, max_position_size_usd: 4000, major_coin_leverage: 5, altcoin_leverage: 5,
                  min_risk_reward_ratio: 1.1, min_confidence: 0, stop_loss_enabled: true, take_profit_enabled: true}}
"""
MANAGER_YAML = (
    "manager: {total_equity_usd: 500000, state_storage_backend: file, state_storage_path: state.json}\n"
    "monitoring: {metrics_exporter: none}\ntraders:"
)
NEIGHBOURS = {
    "exchange.yaml": "default: paper_trading\nproviders:\n  paper_trading: {type: sim}\n",
    # Prices move fast, so that stops and targets are reached.
    "market.yaml": "default: made_up\nproviders:\n  made_up: {type: simulated, volatility_pct: 90}\n",
    "llm.yaml": "default_model: rules\nmodels:\n  rules: {provider: rules}\n",
    "executor.yaml": "max_concurrent_decisions: 8\ndecision_timeout: 10s\n",
    "system.tmpl": "{{/* Version: v1.0.0 */}}\nTrade.\n",
    "executor.tmpl": "{{/* Version: v1.0.0 */}}\n{{ .ContextJSON }}\n",
}
# A day of a hundred traders has tens of thousands of decisions, each of which is replayed.
LONGEST_PROOF_SECONDS = 1800
CHECK = """
import django; django.setup()
from tests.platform.soak import invariants
invariants.say({documents!r})
"""


def write_files(
    directory: Path, traders: int, *, seconds: int = 1, positions: int = 4, idle: int = 0
) -> dict[str, str]:
    """A fleet of so many traders that decide at that interval, the last `idle` of them not started; the setting that
    names it."""
    share = min(20.0, int(9900 / traders) / 100)
    entries = [
        TRADER.format(
            name=name_of(number),
            seconds=seconds,
            share=f"{share:g}",
            positions=positions,
            starts=str(number < traders - idle).lower(),
        )
        for number in range(traders)
    ]
    for name, text in {"manager.yaml": MANAGER_YAML + "".join(entries), **NEIGHBOURS}.items():
        (directory / name).write_text(text)
    return {"MANAGER_YAML": str(directory / "manager.yaml")}


def name_of(number: int) -> str:
    return f"trader_{number:03}"


@dataclass
class Tried:
    """How much was tried, as counts of rows."""

    entries: int
    trades: int
    decisions: int
    versions: int
    controls: int
    interrupted: int


@dataclass
class PaperFleet:
    machine: Machine
    directory: Path
    forks: Forks = field(init=False)

    def __post_init__(self) -> None:
        logs = self.directory / "logs"
        logs.mkdir()
        self.forks = Forks(self.machine, logs, COMMANDS)

    def manager(self, *arguments: str) -> Forked:
        """A manager that runs its traders, or waits for another one of its share."""
        started = self.forks.start("run_manager", *arguments)
        wait_for(lambda: "Runs " in started.said or "waiting to take over" in started.said, seconds=120)
        return started

    def end(self, *managers: Forked) -> None:
        """In order, once every order that filled is in the record."""
        wait_for(lambda: not self.rows("SELECT FROM manager_orders WHERE state = 'filled' AND NOT is_recorded"))
        for one in managers:
            one.signal(signal.SIGTERM)
        for one in managers:
            assert one.end() == 0, one.said

    def rows(self, statement: str) -> list[Any]:
        """Past the site, on a connection of this process. Waits while the server starts again."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with contextlib.closing(self._connect()) as link:
                    return link.execute(statement.encode()).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def cycles(self) -> dict[str, int]:
        """{trader: its newest cycle}."""
        return dict(self.rows("SELECT trader_id, max(cycle_number) FROM decision_journal GROUP BY 1"))

    def await_cycles(self, traders: list[str], more: int, seconds: float = 120) -> None:
        """Until each of them has decided so often from now on."""
        before = self.cycles()

        def have_decided() -> bool:
            now = self.cycles()
            return all(now.get(name, 0) >= before.get(name, 0) + more for name in traders)

        wait_for(have_decided, seconds)

    def prove(self, documents: Path | None = None) -> Tried:
        """That everything holds which must hold (`invariants`); what was tried. `documents`: an export made last."""
        said = self.machine.python(
            CHECK.format(documents=str(documents or "")), seconds=LONGEST_PROOF_SECONDS
        ).splitlines()
        if said[:-1]:
            # At once: pytest says it only when the other long runs have ended.
            (self.directory / "logs" / "breaches.log").write_text("\n".join(said), encoding="utf-8")
        assert said[:-1] == [], "\n".join(said)
        return Tried(**json.loads(said[-1]))

    def _connect(self) -> psycopg.Connection[Any]:
        sockets = DataPaths(self.machine.data_dir).sockets
        return psycopg.connect(host=str(sockets), port=5432, user="postgres", dbname="nof0", autocommit=True)


@contextlib.contextmanager
def paper_fleet(machine: Machine, directory: Path, traders: int, **files: Any) -> Iterator[PaperFleet]:
    """On a machine that was migrated: its servers run, its fleet is synced. Nothing trades yet."""
    machine.settings = {**machine.settings, **write_files(directory, traders, **files)}
    holder, _said = machine.hold_servers()
    fleet = PaperFleet(machine, directory)
    fleet.forks.run("sync_traders")
    try:
        yield fleet
    finally:
        holder.kill()
