"""Every rule of the alarms, declared once: what it means, how urgent it is, and from when on it holds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from traders.schema.messages import TranslatableText, _

FLEET = "fleet"
"""The subject of an alarm about the whole fleet or site."""


class Severity(StrEnum):
    """`page` is repeated until it is acknowledged; `notify` is sent once; `show` is only shown on pages."""

    PAGE = "page"
    NOTIFY = "notify"
    SHOW = "show"


OFF = "off"
"""Stands where a site switched a rule off."""


class AlarmName(StrEnum):
    GUARD_FIRED = "guard_fired"
    CONTROL_NOT_FOLLOWED = "control_not_followed"
    AGAINST_CONTROL = "against_control"
    CLOSE_EXPIRED = "close_expired"
    PIN_OLD = "pin_old"
    REPORT_OVERDUE = "report_overdue"
    EQUITY_STALE = "equity_stale"
    PRICES_STALE = "prices_stale"
    NO_LIVE_STOP = "no_live_stop"
    LIQUIDATION = "liquidation"
    MODEL_ERRORS = "model_errors"
    BUDGET = "budget"
    CONFIG_CHANGED = "config_changed"
    CONFLICT_WAITING = "conflict_waiting"
    UNREADABLE_ROWS = "unreadable_rows"
    EXPORTER_RESTARTED = "exporter_restarted"
    EXPORT_LATE = "export_late"
    STORE_AWAY = "store_away"
    BACKUP_OLD = "backup_old"
    ENGINE_CLOCK = "engine_clock"
    CLOSE_WITHOUT_TRADE = "close_without_trade"
    EXCHANGE_DIFFERS = "exchange_differs"
    ENGINE_ERROR = "engine_error"
    VERSION_BEHIND = "version_behind"
    FILE_DIFFERS = "file_differs"
    TEST = "test"


class Ending(StrEnum):
    """What ends an alarm."""

    BY_CAUSE = "cause"
    """It is watched, and ends when the cause is gone."""
    BY_PERSON = "person"
    """Its event is over: it ends when it is acknowledged, one of `notify` also after a day."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number from which on a rule holds."""

    default: Decimal
    unit: str
    words: TranslatableText


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """`advice` is what an operator does about it."""

    name: AlarmName
    severity: Severity
    label: TranslatableText
    help: TranslatableText
    advice: TranslatableText
    ending: Ending = Ending.BY_CAUSE
    threshold: Threshold | None = None
    takes_paths: bool = False


def _seconds(default: int, words: TranslatableText) -> Threshold:
    return Threshold(Decimal(default), _("s"), words)


def _hours(default: int, words: TranslatableText) -> Threshold:
    return Threshold(Decimal(default), _("h"), words)


_ALL = (
    AlarmRule(
        AlarmName.GUARD_FIRED,
        Severity.PAGE,
        _("Guard fired"),
        _("A guard banned entries of a trader, or of the fleet, because a limit was passed."),
        _(
            "Open the trader's page, read the bars under “Guards”, then press “Resume”, or leave it paused. Of the"
            " fleet: read the bars on “Fleet settings”, then press “Release” in the top bar."
        ),
    ),
    AlarmRule(
        AlarmName.CONTROL_NOT_FOLLOWED,
        Severity.PAGE,
        _("Control not followed"),
        _("An engine has not acknowledged a control in time, or reports that it goes on."),
        _(
            "Look whether the engine runs and reaches this site. On the trader's page press “Stop”; if the engine does"
            " not obey, end its process by hand."
        ),
        threshold=_seconds(30, _("after the control was given")),
    ),
    AlarmRule(
        AlarmName.AGAINST_CONTROL,
        Severity.PAGE,
        _("Record against a control"),
        _("A position was opened although entries were banned. The record keeps it, with a mark."),
        _(
            "On the trader's page press “Close positions”, or let the position stand; find out why the engine did not"
            " obey. Then press “Acknowledge”."
        ),
        Ending.BY_PERSON,
    ),
    AlarmRule(
        AlarmName.CLOSE_EXPIRED,
        Severity.PAGE,
        _("Close expired"),
        _("A close expired after ten minutes, and a position that it named is still open."),
        _("On the trader's page press “Close positions” again, or close the position at the exchange."),
    ),
    AlarmRule(
        AlarmName.PIN_OLD,
        Severity.NOTIFY,
        _("Pin is old"),
        _("A trader has been pinned to a version for this time, so newer versions of it do not run."),
        _("On the trader's page press “Unpin”, or “Pin” it again with a reason of today."),
        threshold=_hours(168, _("since the pin")),
    ),
    AlarmRule(
        AlarmName.REPORT_OVERDUE,
        Severity.PAGE,
        _("Engine's report overdue"),
        _("A trader that was running has not reported for two decision intervals and this time."),
        _(
            "Look at the engine's process and log. Positions stay as they are until it is back. To keep it from opening"
            " more when it is, press “Pause” on the trader's page."
        ),
        threshold=_seconds(60, _("beyond two decision intervals")),
    ),
    AlarmRule(
        AlarmName.EQUITY_STALE,
        Severity.NOTIFY,
        _("Equity is stale"),
        _("A running trader has reported no equity for this time or two decision intervals, whichever is longer."),
        _(
            "Entries are banned, and guards on equity cannot act, until the next report. Look why the engine reports"
            " none."
        ),
        threshold=_seconds(300, _("since the last equity")),
    ),
    AlarmRule(
        AlarmName.PRICES_STALE,
        Severity.NOTIFY,
        _("Prices are stale"),
        _("The youngest price of the live store is older than this, while positions are open."),
        _("Look at the engines' market provider, and at the ages of prices on the page “Live”."),
        threshold=_seconds(300, _("since the youngest price")),
    ),
    AlarmRule(
        AlarmName.NO_LIVE_STOP,
        Severity.PAGE,
        _("Position without a live stop"),
        _("A position has been open for this time without a stop-loss order at the exchange."),
        _("Set a stop-loss order at the exchange, or press “Close positions” on the trader's page."),
        threshold=_seconds(120, _("since the position was opened")),
    ),
    AlarmRule(
        AlarmName.EXCHANGE_DIFFERS,
        Severity.PAGE,
        _("Exchange differs from the record"),
        _("A report of an exchange's account differs from the record, and entries of the trader are banned."),
        _("Look at the exchange. Then open each on the page “Differences”, press “Preview”, and “Settle”."),
    ),
    AlarmRule(
        AlarmName.LIQUIDATION,
        Severity.PAGE,
        _("Liquidation"),
        _("An exchange liquidated a position of a trader."),
        _(
            "Read the trade under “Trades”, and press “Pause” on the trader's page until its leverage or size is"
            " lowered. Then press “Acknowledge”."
        ),
        Ending.BY_PERSON,
    ),
    AlarmRule(
        AlarmName.MODEL_ERRORS,
        Severity.NOTIFY,
        _("Errors of a model"),
        _("So many decisions of one model failed within fifteen minutes, and none succeeded after them."),
        _(
            "Read the errors under “Decisions”, and look at the provider's status page. Cycles go on by themselves"
            " when it answers."
        ),
        threshold=Threshold(Decimal(5), "", _("failed decisions")),
    ),
    AlarmRule(
        AlarmName.BUDGET,
        Severity.NOTIFY,
        _("Budget of a model used up"),
        _("A daily budget for calls of models is used up."),
        _(
            "Raise the budget in llm.yaml, then press “Resume” on each trader's page, or leave the traders paused"
            " until the next day."
        ),
    ),
    AlarmRule(
        AlarmName.CONFIG_CHANGED,
        Severity.NOTIFY,
        _("Configuration changed"),
        _("A change set changed one of the paths, or, where none are named, raised risk."),
        _(
            "Open the change set under “Change log”, and press “Undo” there if it was not meant. Then press"
            " “Acknowledge”."
        ),
        Ending.BY_PERSON,
        takes_paths=True,
    ),
    AlarmRule(
        AlarmName.CONFLICT_WAITING,
        Severity.NOTIFY,
        _("Sync conflict waits"),
        _("A conflict between manager.yaml and this site has waited for this time."),
        _("Open “Sync conflicts”, choose a side for each path, and press “Settle the chosen”."),
        threshold=_hours(1, _("since the sync that found it")),
    ),
    AlarmRule(
        AlarmName.UNREADABLE_ROWS,
        Severity.NOTIFY,
        _("Unreadable rows"),
        _("The last export left rows of the record out because they cannot be read."),
        _("“Unreadable rows” names them: press “Set aside” at each, or correct it."),
    ),
    AlarmRule(
        AlarmName.EXPORTER_RESTARTED,
        Severity.NOTIFY,
        _("Exporter restarted"),
        _("The exporter ended by itself within this time and was started again."),
        _("Read why it ended in the log of the site."),
        threshold=_hours(1, _("since it ended")),
    ),
    AlarmRule(
        AlarmName.EXPORT_LATE,
        Severity.PAGE,
        _("Export is late"),
        _("The public documents are older than this."),
        _("Look at the exporter's last error in GET /api/health, and at the space on the disk."),
        threshold=_seconds(300, _("since the last export")),
    ),
    AlarmRule(
        AlarmName.STORE_AWAY,
        Severity.PAGE,
        _("Store does not answer"),
        _("The exporter found that a store does not answer. Without PostgreSQL no alarm can be raised."),
        _("Look at the server's process and log."),
    ),
    AlarmRule(
        AlarmName.BACKUP_OLD,
        Severity.NOTIFY,
        _("Backup is old"),
        _("The newest file in BACKUP_DIR is older than this, or there is none."),
        _("Look why the last backup failed, and make one."),
        threshold=_hours(26, _("since the newest backup")),
    ),
    AlarmRule(
        AlarmName.ENGINE_CLOCK,
        Severity.PAGE,
        _("Engine's clock is ahead"),
        _("Records of an engine were refused within this time because its clock is ahead of this server's."),
        _("Set the clock of the engine's machine by NTP, then let the engine send the refused records again."),
        threshold=_hours(1, _("since the last refusal")),
    ),
    AlarmRule(
        AlarmName.CLOSE_WITHOUT_TRADE,
        Severity.NOTIFY,
        _("Close without its trade"),
        _("A position was closed this long ago and no trade of its close was recorded."),
        _("Run check_record, and have the engine report the trade."),
        threshold=_seconds(600, _("since the close")),
    ),
    AlarmRule(
        AlarmName.ENGINE_ERROR,
        Severity.SHOW,
        _("Engine reports an error"),
        _("The last report of a running trader names an error."),
        _("Read the error under “What it reported” on the trader's page, and what failed under “Decisions”."),
    ),
    AlarmRule(
        AlarmName.VERSION_BEHIND,
        Severity.SHOW,
        _("Engine runs an older version"),
        _("A running trader has not taken over its wanted version for two decision intervals and this time."),
        _(
            "Look why the engine does not reload its configuration, and restart it. On “History” of the trader press"
            " “Restore”, or on its page “Pin”, if the older version is meant to run."
        ),
        threshold=_seconds(60, _("beyond two decision intervals")),
    ),
    AlarmRule(
        AlarmName.FILE_DIFFERS,
        Severity.SHOW,
        _("Configuration differs from the file"),
        _("A configuration was changed on this site since manager.yaml declared it at the last sync."),
        _(
            "Press “Download” on “Traders” and put the bundle in the place of the file, or undo the change under"
            " “Change log”."
        ),
    ),
    AlarmRule(
        AlarmName.TEST,
        Severity.NOTIFY,
        _("Test"),
        _("Somebody tested a channel."),
        _("Nothing is wrong."),
        Ending.BY_PERSON,
    ),
)

RULES = {rule.name: rule for rule in _ALL}
CHANGEABLE = tuple(rule for rule in _ALL if rule.name is not AlarmName.TEST)
"""The rules that a site may change."""
