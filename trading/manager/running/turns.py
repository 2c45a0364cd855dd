"""One turn of a trader: a cycle where it may decide, else a report. And what is done beside its turns."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from traders.controls import queries as controls
from traders.controls import services as control_services
from traders.controls.rules import WantedEffect
from traders.schema.controls.rows import Control, ControlKind
from trading.manager import projecting, queries, recording, sight, writer
from trading.manager.capital import begin_with_capital, follow_allocation
from trading.manager.cycle import CycleParts, carry_on, decided_symbols, interrupted, run_cycle
from trading.manager.protocols import (
    Decider,
    DeciderAnswer,
    DeciderFailed,
    DecisionRequest,
    ExchangeClient,
    MarketFailed,
    MarketSource,
)
from trading.manager.queries import FleetReader, OpenCycle, TraderNow
from trading.manager.recording import Beat
from trading.manager.rules.account import AccountNow
from trading.manager.rules.schedule import next_due
from trading.manager.running import cycle_files
from trading.manager.running.asking import Asker
from trading.manager.running.making import NotRunHere, Workshop
from trading.manager.running.watch import ACTOR, Attending, anything_due, attend, record_fills
from trading.manager.writer import CycleNotFinished
from trading.record.writing.positions import open_whole

log = logging.getLogger(__name__)
KEEP_ORDERS = timedelta(days=30)
# A close is acknowledged when it is done, a cooldown by its row.
_ACKED_LATER = frozenset({ControlKind.CLOSE})


class Turns:
    """`is_held(trader_id)`: whether this manager still runs the trader, as the database says now. `ask` by default as
    `Asker`. May be used by many threads, for one trader by one at a time, the watch aside."""

    def __init__(
        self,
        workshop: Workshop,
        is_held: Callable[[str], bool],
        say: Callable[[str], None] = lambda text: None,
        ask: Callable[[Decider, DecisionRequest], DeciderAnswer] | None = None,
    ) -> None:
        self._workshop, self._is_held, self._say = workshop, is_held, say
        self._reader = FleetReader()
        self._ask = ask or Asker(workshop.limits.at_once).ask
        self._locks: dict[str, threading.RLock] = defaultdict(threading.RLock)
        self._ran: dict[str, int] = {}
        self._left: dict[str, OpenCycle] = {}
        # Of each of them the symbols whose positions wait for it; None where the answer cannot be read.
        self._left_alone: dict[str, frozenset[str] | None] = {}
        self._running: dict[str, bool] = {}
        self._refused: dict[str, str] = {}
        self._finished_later: dict[str, str] = {}
        self._acked: set[tuple[int, str]] = set()
        self._with_capital: set[str] = set()

    def introduce(self, fleet: Mapping[str, TraderNow]) -> None:
        """Says how many traders run, and in one line for each reason which ones do not. Later turns say it of others
        only."""
        not_run: dict[str, list[str]] = defaultdict(list)
        for trader_id, trader in sorted(fleet.items()):
            if (reason := self._why_not_run(trader)) is not None:
                self._refused[trader_id] = reason
                not_run[reason].append(trader_id)
        left = sum(len(names) for names in not_run.values())
        self._say(f"Runs {len(fleet) - left} of {len(fleet)} traders." if left else f"Runs {len(fleet)} traders.")
        for reason, names in not_run.items():
            if len(names) == 1:
                self._say(f"{names[0]} is not run by this manager: {reason}.")
            else:
                self._say(f"{len(names)} others are not run by this manager ({', '.join(names)}), each since {reason}.")

    def begin(self, fleet: Collection[str]) -> None:
        """Traders that this manager runs from now on, or whose turn has failed: what another manager or that turn left
        of them is finished first."""
        left = {one.trader_id: one for one in queries.unfinished(fleet)}
        self._left_alone |= {trader_id: _decided_symbols(one) for trader_id, one in left.items()}
        self._left |= left
        self._ran |= queries.versions_that_ran(fleet)
        for trader_id in sorted(left):
            try:
                self._try_to_finish(self._reader.read([trader_id])[trader_id], self._workshop.clock())
            except Exception:
                # One trader's cycle that cannot be read keeps no other trader from running.
                log.exception("The cycle that %s was in could not be finished; its next turn tries again", trader_id)
        # What another manager committed right before its end it may not have shown.
        projecting.changed(*fleet)

    def take(self, trader_id: str, due: datetime, known: TraderNow | None = None) -> None:
        """Whatever is due for the trader now. The configuration and the controls are those of now, or those that the
        caller has just read (`known`); before an entry they are read again."""
        now = self._workshop.clock()
        trader = known or self._reader.read([trader_id], now).get(trader_id)
        if trader is None:
            return
        if not self._is_run_here(trader):
            # What this manager began of it is finished all the same.
            self._try_to_finish(trader, due)
            return
        is_stopped = trader.state.effect is WantedEffect.STOPPED
        try:
            self._finish_left(trader, due)
            self._keep_capital(trader, now)
        except sight.CannotDecide as reason:
            # The version in force has not run yet: its capital is not booked, or an older one has a cycle to finish.
            ran = replace(trader, version=self._ran.get(trader_id, trader.version))
            self._report(ran, due, is_running=not is_stopped, error=f"{reason}{self._what_waits(trader_id)}")
            return
        if self._decides(trader):
            try:
                spec = trader.spec
                parts = self._parts(trader, self._workshop.market_of(spec), self._workshop.exchange_of(spec))
                done = run_cycle(trader, parts, due)
            except CycleNotFinished:
                # An earlier turn failed in the middle of it. It is finished first; the next turn decides again.
                self.begin([trader_id])
                return
            cycle_files.write(trader, done)
            self._running[trader_id] = True
        else:
            self._report(trader, due, is_running=not is_stopped)
        self._ran[trader_id] = trader.version

    def watch(self, traders: Collection[TraderNow]) -> None:
        """The positions of all these traders, read at once. A trader for whom something is due is looked at again by
        itself; one that fails costs no other one its stops."""
        seen = queries.watched([trader.spec.id for trader in traders])
        for trader in traders:
            trader_id = trader.spec.id
            lock = self._locks[trader_id]
            left_alone = self._left_alone.get(trader_id, frozenset()) if trader_id in self._left else frozenset()
            if left_alone is None or not (trader.state.closes or trader_id in seen):
                continue
            try:
                one = replace(self._attending(trader), left_alone=left_alone)
                if not trader.state.closes and not anything_due(one, seen[trader_id]):
                    continue
                # A cycle that is sending orders is done in a moment, and the next look finds what it left.
                if lock.acquire(blocking=False):
                    try:
                        attend(one)
                    finally:
                        lock.release()
            except NotRunHere:
                continue
            except Exception:
                log.exception("The stops of %s could not be watched", trader_id)

    def _what_waits(self, trader_id: str) -> str:
        """For the report of a trader whose cycle cannot be finished: which of its stops are not watched meanwhile."""
        if trader_id not in self._left:
            return ""
        left_alone = self._left_alone.get(trader_id)
        waiting = [one.symbol for one in open_whole(trader_id) if left_alone is None or one.symbol in left_alone]
        if not waiting:
            return ""
        return f"; a cycle that was interrupted waits for it, and with it the stops of {', '.join(sorted(waiting))}"

    def _attending(self, trader: TraderNow) -> Attending:
        """Raises NotRunHere."""
        exchange, market = self._workshop.exchange_of(trader.spec), self._workshop.market_of(trader.spec)
        return Attending(trader, exchange, market, self._workshop.clock(), market.funding_interval)

    def follow(self, fleet: Mapping[str, TraderNow]) -> list[TraderNow]:
        """Acknowledges what was asked of the traders. Gives those that were stopped since, for `report_stopped`."""
        asked = {
            (control.id, trader_id): control
            for trader_id, trader in fleet.items()
            for control in _controls_of(trader)
            if (control.id, trader_id) not in self._acked and self._is_run_here(trader, quietly=True)
        }
        if asked:
            known = controls.newest_acks([number for number, _trader_id in asked])
            done = [key for key, control in asked.items() if key not in known and control.kind not in _ACKED_LATER]
            control_services.acknowledge_done(done, at=self._workshop.clock(), actor=ACTOR)
            self._acked.update(asked)
        return [
            trader
            for trader_id, trader in fleet.items()
            if trader.state.effect is WantedEffect.STOPPED
            and self._running.get(trader_id)
            and self._is_run_here(trader, quietly=True)
        ]

    def report_stopped(self, trader: TraderNow) -> None:
        self._report(trader, self._workshop.clock(), is_running=False)

    def tidy(self, trader_ids: Collection[str]) -> int:
        """Forgets old orders of these traders; how many."""
        return writer.forget_orders(trader_ids, self._workshop.clock() - KEEP_ORDERS)

    def _decides(self, trader: TraderNow) -> bool:
        """Under an entry ban cycles go on only while a position is open: they may only close it."""
        effect = trader.state.effect
        if effect is WantedEffect.STOPPED:
            return False
        return effect is WantedEffect.RUNNING or bool(open_whole(trader.spec.id))

    def _is_run_here(self, trader: TraderNow, *, quietly: bool = False) -> bool:
        """Says once why not."""
        trader_id, reason = trader.spec.id, self._why_not_run(trader)
        if reason is None:
            self._refused.pop(trader_id, None)
        elif not quietly and self._refused.get(trader_id) != reason:
            self._refused[trader_id] = reason
            self._say(f"{trader_id} is not run by this manager: {reason}.")
        return reason is None

    def _why_not_run(self, trader: TraderNow) -> str | None:
        try:
            self._workshop.exchange_of(trader.spec)
            self._workshop.market_of(trader.spec)
        except NotRunHere as reason:
            return str(reason)
        return self._why_not_asked(trader) or None

    def _try_to_finish(self, trader: TraderNow, due: datetime) -> None:
        """As `_finish_left`. Says once why it cannot be finished yet."""
        trader_id = trader.spec.id
        try:
            self._finish_left(trader, due)
        except (sight.CannotDecide, NotRunHere, MarketFailed) as error:
            text = f"The cycle that {trader_id} was in is finished later: {error}{self._what_waits(trader_id)}"
            if self._finished_later.get(trader_id) != text:
                self._finished_later[trader_id] = text
                self._say(text)
        else:
            self._finished_later.pop(trader_id, None)

    def _finish_left(self, trader: TraderNow, due: datetime) -> None:
        """The cycle in which another manager ended. Raises CannotDecide where an exit needs a price that there is
        not, and NotRunHere where no market is known that has one: it is tried again at the next turn, and no new cycle
        begins before."""
        trader_id = trader.spec.id
        left = self._left.get(trader_id)
        if left is None:
            return
        # By the version that began the cycle the answer is judged, and it stands in the journal.
        was = self._reader.at_version(trader, left.config_version)
        if left.is_answered:
            parts = self._parts_to_finish(was, trader)
            seen_now = sight.look(was.spec, parts.market, parts.clock())
            as_it_was = sight.again(seen_now, left.seen, left.opened_at)
            carry_on(was, parts, as_it_was, left.number, due, may_enter=False)
        else:
            interrupted(was, self._workshop.clock, left, due, self._why_not_asked(was))
        with self._hold(trader_id):
            record_fills(trader_id)
        self._left.pop(trader_id, None)

    def _parts_to_finish(self, was: TraderNow, trader: TraderNow) -> CycleParts:
        """Every cycle of a manager is on paper, whatever exchange.yaml says by now. The market is that of today where
        this manager does not know that of the cycle's version. Raises NotRunHere where it knows neither."""
        try:
            market = self._workshop.market_of(was.spec)
        except NotRunHere:
            market = self._workshop.market_of(trader.spec)
        return self._parts(was, market, self._workshop.on_paper(was.spec))

    def _why_not_asked(self, trader: TraderNow) -> str:
        """Why its model cannot be asked now; "" if it can."""
        try:
            self._workshop.make_decider(trader.spec)
        except NotRunHere as reason:
            return str(reason)
        return ""

    def _keep_capital(self, trader: TraderNow, now: datetime) -> None:
        """Raises CannotDecide as `follow_allocation`."""
        if trader.spec.id not in self._with_capital:
            begin_with_capital(trader, now)
            if queries.has_capital(trader.spec.id):
                self._with_capital.add(trader.spec.id)
        ran = self._ran.get(trader.spec.id)
        if ran is not None and ran != trader.version:
            account = self._account(trader)
            if account is not None:
                follow_allocation(trader, ran, account, now)

    def _report(self, trader: TraderNow, due: datetime, *, is_running: bool, error: str = "") -> None:
        now, trader_id = self._workshop.clock(), trader.spec.id
        recording.beat(
            Beat(
                trader_id,
                trader.version,
                is_running,
                self._account(trader),
                now,
                trader.spec.detail.exec_guards,
                next_at=next_due(due, trader.interval_seconds, now) if is_running else None,
                error=error,
            )
        )
        self._running[trader_id] = is_running

    def _account(self, trader: TraderNow) -> AccountNow | None:
        market, now = self._workshop.market_of(trader.spec), self._workshop.clock()
        symbols = [held.symbol for held in open_whole(trader.spec.id)]
        try:
            prices = sight.fresh(market.prices(symbols, now), now) if symbols else {}
        except MarketFailed:
            prices = {}
        return sight.account_of(trader.spec.id, prices, now)

    def _parts(self, trader: TraderNow, market: MarketSource, exchange: ExchangeClient) -> CycleParts:
        """The model is looked up when it is asked: what was answered before is carried out without it."""
        workshop, spec = self._workshop, trader.spec

        def ask(request: DecisionRequest) -> DeciderAnswer:
            try:
                decider = workshop.make_decider(spec)
            except NotRunHere as reason:
                raise DeciderFailed(str(reason)) from reason
            return self._ask(decider, request)

        return CycleParts(
            market=market,
            exchange=exchange,
            prompts=workshop.prompts,
            ask=ask,
            again=self._again,
            clock=workshop.clock,
            timeout_seconds=workshop.limits.timeout_seconds,
            lot_of=workshop.lot_of,
            hold=lambda: self._hold(spec.id),
            record_fills=lambda number: record_fills(spec.id, cycle=number),
        )

    def _again(self, trader: TraderNow) -> str:
        """Why no entry may be sent now, right before it would be; "" if one may."""
        trader_id = trader.spec.id
        if self._workshop.stop_file.exists():
            return "the file STOP bans entries"
        if not self._is_held(trader_id):
            return "this manager does not run the trader any more: its lock is gone"
        is_now = self._reader.read([trader_id], self._workshop.clock()).get(trader_id)
        if is_now is None:
            return "the trader is gone"
        if not is_now.state.entries_allowed:
            return "; ".join(str(cause.text) for cause in is_now.state.causes)
        if is_now.version != trader.version:
            return f"v{is_now.version} is in force, and v{trader.version} decided"
        return ""

    @contextmanager
    def _hold(self, trader_id: str) -> Iterator[None]:
        with self._locks[trader_id]:
            yield


def _decided_symbols(left: OpenCycle) -> frozenset[str] | None:
    try:
        return decided_symbols(left.seen)
    except Exception:
        log.exception("The answer in the cycle that %s was in cannot be read", left.trader_id)
        return None


def _controls_of(trader: TraderNow) -> list[Control]:
    state = trader.state
    found = [state.run, state.fleet_stop, state.pin, state.last, *state.pauses, *state.closes]
    return list({control.id: control for control in found if control is not None}.values())
