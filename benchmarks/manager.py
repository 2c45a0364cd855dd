"""A manager with eighty traders whose model is slow: how late their turns begin, what that costs, and how soon a saved
version is known to it. And what a thousand traders cost that are decided by rules."""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import yaml
from django.conf import settings
from django.utils import timezone

from benchmarks import fleet
from benchmarks.meter import percentile
from benchmarks.report import Table, seconds
from benchmarks.servers import empty_tables
from traders.controls.queries import newest_acks
from traders.controls.services import fleet_control
from traders.manager_yaml.declared import CallLimits
from traders.manager_yaml.reader import read_manager_yaml
from traders.schema.controls.rows import ControlKind
from traders.schema.settings.trader import TraderSpec
from traders.sync.services import sync
from traders.versions import services as configs
from traders.versions.edit import services as edit
from trading.manager.deciders.rules import RulesDecider
from trading.manager.markets.simulated import SimulatedMarket
from trading.manager.protocols import Decider, DeciderAnswer, DecisionRequest
from trading.manager.queries import TraderNow
from trading.manager.rules.share import FleetShare
from trading.manager.running.making import Workshop
from trading.manager.running.runner import Runner

TRADERS = 80
INTERVAL_SECONDS = 180
DECIDER_SECONDS = 30.0
# Two turns of each trader, the first ones within the first twenty seconds.
RUN_SECONDS = 230.0
COMMITS = 200
REST_SECONDS = 0.3
STOPS = 20
MANY_TRADERS = 1_000
WARM_UP_SECONDS = 40.0


@dataclass
class _SlowRules:
    """Rules that take as long as a model."""

    asked: int = 0
    rules: RulesDecider = field(default_factory=RulesDecider)

    def decide(self, request: DecisionRequest) -> DeciderAnswer:
        self.asked += 1
        time.sleep(DECIDER_SECONDS)
        return self.rules.decide(request)


def run(directory: Path, say: Callable[[str], None]) -> list[Table]:
    return [_slow_models(directory, say), _many_traders(directory, say)]


def _slow_models(directory: Path, say: Callable[[str], None]) -> Table:
    say(
        f"{TRADERS} traders, every {INTERVAL_SECONDS} s, a decider of {DECIDER_SECONDS:.0f} s, {RUN_SECONDS:.0f} s long"
    )
    decider, heard = _SlowRules(), []
    late, spent, lasted = _at_work(
        directory, TRADERS, decider, RUN_SECONDS, lambda runner: heard.extend(_commits(runner, say))
    )
    return Table(
        "Eighty traders of a manager",
        ("What", "p50 (s)", "p99 (s)", "number"),
        [_times("a turn begins after its beat", late), _times("a saved version is known after", heard)],
        (
            f"{decider.asked} decisions. The manager's process took {100 * spent / lasted:.1f} % of one core. "
            "A cycle without an order takes 10 SQL statements (tests/trading/manager/test_statements.py).",
        ),
    )


def _many_traders(directory: Path, say: Callable[[str], None]) -> Table:
    say(f"{MANY_TRADERS} traders, every {INTERVAL_SECONDS} s, decided by rules, {RUN_SECONDS:.0f} s long")
    acknowledged: list[float] = []
    late, spent, lasted = _at_work(
        directory, MANY_TRADERS, RulesDecider(), RUN_SECONDS, behind=lambda: acknowledged.extend(_stops(say))
    )
    hourly = spent / lasted * 3600 / MANY_TRADERS
    return Table(
        "A thousand paper traders of one manager",
        ("What", "p50 (s)", "p99 (s)", "number"),
        [
            _times("a turn begins after its beat", late),
            _times("a stop of the fleet, or its release, is acknowledged for all after", acknowledged),
        ],
        (
            f"The manager's process took {100 * spent / lasted:.1f} % of one core: {hourly:.1f} s for each trader and "
            f"hour, with a cycle every {INTERVAL_SECONDS} s and the watch of stops each second. PostgreSQL's and "
            "Redis's own time is not in it.",
        ),
        {"cycle_cpu_s": spent / lasted * INTERVAL_SECONDS / MANY_TRADERS},
    )


def _at_work(
    directory: Path,
    traders: int,
    decider: Decider,
    run_seconds: float,
    meanwhile: Callable[[Runner], None] = lambda runner: None,
    behind: Callable[[], None] = lambda: None,
) -> tuple[list[float], float, float]:
    """(how late each turn began, CPU seconds of this process, seconds) of a manager with so many traders. What it does
    afterwards (`behind`) is in none of them."""
    empty_tables()
    _make_fleet(directory, traders)
    late: list[float] = []
    runner = Runner(FleetShare(), _workshop(decider, directory))
    take = runner._turns.take

    def timed(trader_id: str, due: datetime, known: TraderNow | None = None) -> None:
        late.append((timezone.now() - due).total_seconds())
        take(trader_id, due, known)

    runner._turns.take = timed  # type: ignore[method-assign]
    thread = threading.Thread(target=runner.run)
    cpu, began = _cpu_seconds(), time.monotonic()
    thread.start()
    time.sleep(WARM_UP_SECONDS)
    meanwhile(runner)
    time.sleep(max(0.0, run_seconds - (time.monotonic() - began)))
    spent, lasted, late = _cpu_seconds() - cpu, time.monotonic() - began, list(late)
    behind()
    runner.stop.set()
    thread.join()
    # A manager that ends does not wait for a look at all stops; the database can be dropped only after it.
    for other in threading.enumerate():
        if other.name.startswith("manager "):
            other.join()
    return late, spent, lasted


def _times(what: str, found: list[float]) -> tuple[str, ...]:
    return (what, seconds(percentile(found, 0.5)), seconds(percentile(found, 0.99)), str(len(found)))


def _make_fleet(directory: Path, traders: int) -> None:
    path = fleet.write_fleet(directory, traders=traders)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for trader in content["traders"]:
        trader |= {
            "exchange_provider": "paper_trading",
            "market_provider": "simulated",
            "model": "rules",
            "auto_start": True,
            "journal_enabled": False,
            "decision_interval": f"{INTERVAL_SECONDS}s",
        }
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    settings.MANAGER_YAML = path
    sync(file=read_manager_yaml(path), actor="cli:benchmark")


def _workshop(decider: Decider, directory: Path) -> Workshop:
    return Workshop(
        make_market=lambda provider: SimulatedMarket(),
        make_decider=lambda spec: decider,
        limits=CallLimits(at_once=TRADERS, timeout_seconds=60.0),
        stop_file=directory / "STOP",
        exchange_types={"paper_trading": "sim"},
    )


def _commits(runner: Runner, say: Callable[[str], None]) -> list[float]:
    """From the return of a save to the moment at which the manager knows the version."""
    say(f"{COMMITS} edits, one after the other")
    heard = []
    for number in range(COMMITS):
        trader_id = sorted(runner._fleet)[number % TRADERS]
        stored = configs.existing(trader_id)
        assert isinstance(stored.spec, TraderSpec)
        flat = stored.flat | {"detail.risk.max_positions": stored.spec.detail.risk.max_positions + 1}
        edit.save(
            config_id=trader_id, flat=flat, expected_version=stored.version, reason="a benchmark", actor="cli:benchmark"
        )
        saved = time.perf_counter()
        while (now := runner._fleet.get(trader_id)) is None or now.version == stored.version:
            time.sleep(0.001)
        heard.append(time.perf_counter() - saved)
        time.sleep(REST_SECONDS)
    return heard


def _stops(say: Callable[[str], None]) -> list[float]:
    """From asking for a stop or a release to the acknowledgement of the last trader."""
    say(f"{STOPS} stops and releases of the fleet")
    times = []
    for number in range(STOPS):
        asked = time.perf_counter()
        kind = ControlKind.RELEASE if number % 2 else ControlKind.STOP
        [written] = fleet_control(kind, reason="a benchmark", actor="cli:benchmark")
        while len(newest_acks([written.control.id])) < MANY_TRADERS:
            time.sleep(0.01)
        times.append(time.perf_counter() - asked)
        time.sleep(REST_SECONDS)
    return times


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
