"""Lets guards act where the record is written, and says where each of them stands."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from traders.controls import services as controls
from traders.controls.rules import WantedState
from traders.controls.services import Asked
from traders.controls.wanted import wanted_of, wanted_of_one
from traders.runtime.cooldowns import services as cooldowns
from traders.schema.controls.rows import GUARD_PREFIX, Control, ControlKind
from traders.schema.messages import TranslatableText, _
from traders.schema.runtime import CooldownDetail
from traders.schema.settings.stored import StoredConfig
from traders.versions import services as configs
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName
from trading.guards import judge, queries, writer
from trading.guards.look import TraderLook
from trading.guards.rules.names import GUARDS, GuardName, LiftedBy
from trading.guards.rules.standing import GuardStanding
from trading.models import Alarm
from trading.record.followers import RecordedFact, RecordedKind
from trading.schema.facts import EquityPoint

log = logging.getLogger(__name__)
_LONGEST_ERROR = 300


def after(fact: RecordedFact) -> None:
    """What a new row of the record makes guards do, in the transaction that writes it.

    Only facts of now act: of today, and after the trader's last start or resume. A guard that fails leaves the record
    as it is, bans entries of the trader and raises an alarm.
    """
    try:
        with writer.at_once():
            _act(fact, timezone.now())
    except OperationalError:
        # The connection is gone, or the statement was cancelled: what holds for the record holds for its guards.
        raise
    except Exception as error:
        log.exception("Guards of %s failed", fact.trader_id)
        _failed(fact.trader_id, error)


@dataclass(frozen=True, slots=True)
class TraderGuards:
    """`standings` include the guards that are off; losses in a row are those of the symbol that is nearest to its
    limit. `suspect` points of equity count nowhere. `pauses` are those that guards hold now."""

    standings: Sequence[GuardStanding]
    suspect: Sequence[EquityPoint] = ()
    pauses: Sequence[Control] = ()

    @property
    def lifted(self) -> list[Control]:
        """Pauses that only a person ends although nothing is in breach any more. Not that of guards which could not be
        checked: it says nothing about figures."""
        breached = {one.name.cause for one in self.standings if one.is_breached}
        return [one for one in self.pauses if one.cause not in breached and one.cause != GuardName.FAILED.cause]


def guards_of(
    trader_id: str,
    now: datetime | None = None,
    *,
    newest: StoredConfig | None = None,
    state: WantedState | None = None,
) -> TraderGuards:
    """Where the guards of a trader stand. `newest`, its configuration, and `state`, what is wanted of it, are read
    unless they are given. Raises UnknownConfig, and InvalidFile if llm.yaml cannot be read."""
    now = now or timezone.now()
    with writer.at_once():
        state = state or wanted_of_one(trader_id, now)
        look = TraderLook.under(newest or configs.existing_trader(trader_id), state.pinned_version, now)
        found = judge.all_of(look, Decimal(settings.BUDGET_OVER_PCT) / 100)
        suspect = look.suspect
    return TraderGuards(found, suspect, [one for one in state.pauses if (one.cause or "").startswith(GUARD_PREFIX)])


def standings(trader_id: str, now: datetime | None = None) -> Sequence[GuardStanding]:
    """As `guards_of`."""
    return guards_of(trader_id, now).standings


def evaluate(trader_ids: Iterable[str] | None = None, now: datetime | None = None) -> list[GuardStanding]:
    """What an open loss does while no engine writes: every trader at the prices of now. Returns what fired.

    One trader whose guards fail costs no other one its guards.
    """
    now = now or timezone.now()
    fired = []
    for trader_id in queries.traders_now() if trader_ids is None else trader_ids:
        try:
            with writer.at_once():
                look = TraderLook.of(trader_id, now)
                if judge.has_equity_guard(look) and look.is_about_now:
                    fired += _fire_all(look, judge.of_equity(look, with_marks=True))
        except OperationalError:
            raise
        except Exception as error:
            log.exception("Guards of %s failed", trader_id)
            _failed(trader_id, error)
    end_lifted()
    return fired


def end_lifted() -> None:
    """Ends the alarms of pauses that hold no more."""
    opened = Alarm.objects.filter(rule=AlarmName.GUARD_FIRED, ended_at__isnull=True).values_list("subject", flat=True)
    by_trader = [(subject, *subject.rsplit(" ", 1)) for subject in opened if " " in subject]
    states = wanted_of({trader_id for _subject, trader_id, _name in by_trader})
    for subject, trader_id, name in sorted(by_trader):
        state = states.get(trader_id)
        if state is not None and all(pause.cause != GUARD_PREFIX + name for pause in state.pauses):
            alarms.end_alarm(AlarmName.GUARD_FIRED, subject)


def _act(fact: RecordedFact, now: datetime) -> None:
    look = TraderLook.of(fact.trader_id, now)
    if fact.kind is RecordedKind.EQUITY and look.limits.max_drawdown_pct:
        _forget_what_came_late(fact)
    if not look.is_now(fact.ts_ms):
        return
    if fact.kind is RecordedKind.TRADE and fact.symbol:
        _cool_down(look, fact.symbol)
    if fact.kind is RecordedKind.DECISION:
        _fire_all(look, judge.of_decisions(look, Decimal(settings.BUDGET_OVER_PCT) / 100))
    elif judge.has_equity_guard(look):
        _fire_all(look, judge.of_equity(look))


def _forget_what_came_late(fact: RecordedFact) -> None:
    upto_ms = writer.upto_ms(fact.trader_id)
    if upto_ms is not None and fact.ts_ms <= upto_ms:
        writer.forget(fact.trader_id)


def _fire_all(look: TraderLook, found: Sequence[GuardStanding]) -> list[GuardStanding]:
    return [standing for standing in found if standing.is_on and standing.is_breached and _fire(look, standing)]


def _fire(look: TraderLook, standing: GuardStanding) -> bool:
    """Bans entries, once for each cause, and raises the alarm. False where it acted already."""
    if standing.name is GuardName.ERRORS_IN_A_ROW and judge.is_shared_error(look):
        model = look.spec.detail.llm.model
        message = _("decisions with the model %(model)s fail, and others of its provider too", model=model)
        alarms.raise_alarm(AlarmName.MODEL_ERRORS, message, subject=model, traders=[look.trader_id], adds_traders=True)
        return False
    return pause(look.trader_id, standing.name, standing.words, once=standing.once, until=standing.pauses_until)


def pause(
    trader_id: str,
    name: GuardName,
    words: TranslatableText,
    *,
    once: str | None,
    until: datetime | None = None,
    is_quiet: bool = False,
) -> bool:
    """Bans entries of a trader in the name of a guard. False where this cause has done so already. `is_quiet`: without
    an alarm of its own, where one stands for all traders."""
    asked = Asked(str(words), name.cause, until=until, cause=name.cause, once=once)
    written = controls.control(ControlKind.PAUSE, [trader_id], asked)
    is_new = any(row.is_new for row in written)
    if is_new and not is_quiet:
        alarms.raise_alarm(AlarmName.GUARD_FIRED, words, subject=f"{trader_id} {name.value}", traders=[trader_id])
    return is_new


def lift(trader_id: str, name: GuardName, words: TranslatableText) -> bool:
    """Ends the pause of a guard that ends by itself. False where none holds."""
    assert GUARDS[name].lifted_by is LiftedBy.ITSELF
    asked = Asked(str(words), name.cause, cause=name.cause)
    state = wanted_of([trader_id]).get(trader_id)
    if state is None or all(held.cause != name.cause for held in state.pauses):
        return False
    return bool(controls.control(ControlKind.RESUME, [trader_id], asked))


def _cool_down(look: TraderLook, symbol: str) -> None:
    """After a close: the cooldown of the settings; after enough losses in a row the longer one."""
    standing, closed_ms, net = judge.losses(look, symbol)
    if not closed_ms or not look.is_now(closed_ms):
        return
    closed = datetime.fromtimestamp(closed_ms / 1000, UTC)
    seconds = [0]
    if look.limits.enable_cooldown_guard:
        seconds.append(look.limits.cooldown_after_close_seconds)
    if standing.is_breached:
        seconds.append(look.limits.loss_cooldown_seconds)
    until = closed + timedelta(seconds=max(seconds))
    if until <= look.now:
        return
    reason = (
        _("%(count)s losses in a row, limit %(limit)s", count=f"{standing.used:f}", limit=f"{standing.limit:f}")
        if standing.is_breached
        else _("closed")
    )
    cooldowns.extend(
        trader_id=look.trader_id,
        symbol=symbol,
        until=until,
        detail=CooldownDetail(
            reason=str(reason),
            consecutive_losses=int(standing.used or 0) if standing.is_on else None,
            last_loss_pnl=net if net is not None and net < 0 else None,
            triggered_at=closed,
            last_position_closed=closed,
        ),
    )


def _failed(trader_id: str, error: Exception) -> None:
    """Fail closed: a trader whose guards cannot be checked opens nothing until a person looks."""
    words = _(
        "the guards could not be checked: %(error)s; entries stay banned until a person resumes the trader",
        error=f"{type(error).__name__}: {error}"[:_LONGEST_ERROR],
    )
    resumed = queries.acts_since(trader_id)
    once = f"{GuardName.FAILED.value}|{resumed.isoformat() if resumed else 'first'}"
    pause(trader_id, GuardName.FAILED, words, once=once)
