"""The tables of alarms: the alarms, what was sent of them, where to, and the rules that were changed.

`trading.models` imports them, so that Django finds them.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from traders.constraints import moment
from traders.schema.jsonio import ExactDecoder, ExactEncoder

OPEN = models.Q(ended_at__isnull=True)
WAITING = models.Q(status="waiting")


def _json(**options: Any) -> models.JSONField[Any, Any]:
    return models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder, **options)


def _together(first: str, second: str) -> models.Q:
    """Both are given, or neither."""
    return models.Q(**{f"{first}__isnull": True, f"{second}__isnull": True}) | models.Q(
        **{f"{first}__isnull": False, f"{second}__isnull": False}
    )


class Alarm(models.Model):
    """One cause that a person should know of. While it is open, no other alarm has its rule and subject.

    `message` is a template of `traders.schema.messages` with `parameters`; `figures` are the numbers behind it.
    `traders` are those concerned. Rows are never deleted: they are the log.
    """

    rule = models.TextField(_("rule"))
    subject = models.TextField(_("subject"))
    severity = models.TextField(_("severity"))
    message = models.TextField()
    parameters = _json(default=dict, db_default={})
    figures = _json(default=dict, db_default={})
    traders = ArrayField(models.TextField(), default=list, db_default=[])
    first_at = models.DateTimeField(db_default=Now())
    last_at = models.DateTimeField(db_default=Now())
    # How often the cause was seen.
    count = models.BigIntegerField(db_default=1)
    acknowledged_by = models.TextField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    # From then on it counts as not acknowledged; NULL: it stays acknowledged. A cause that has changed since, such as
    # one more trader, moves it to the moment of the change.
    acknowledged_until = models.DateTimeField(null=True, blank=True)
    acknowledged_reason = models.TextField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # A person, or `@cause` where the cause was gone.
    ended_by = models.TextField(null=True, blank=True)

    class Meta:
        db_table = "alarms"
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        default_permissions = ("view",)
        permissions = [("acknowledge_alarm", "Can acknowledge alarms")]
        constraints = [
            # The open alarm of a cause, and the open ones of all: WHERE ended_at IS NULL
            models.UniqueConstraint(fields=["rule", "subject"], condition=OPEN, name="alarms_one_open_a_cause"),
            models.CheckConstraint(
                condition=models.Q(severity__in=["page", "notify", "show"]), name="alarms_severity_known"
            ),
            models.CheckConstraint(condition=~models.Q(rule="") & ~models.Q(subject=""), name="alarms_cause_named"),
            models.CheckConstraint(condition=models.Q(count__gte=1), name="alarms_count_from_1"),
            models.CheckConstraint(
                condition=_together("acknowledged_by", "acknowledged_at"), name="alarms_acknowledged_by_somebody"
            ),
            models.CheckConstraint(condition=_together("ended_by", "ended_at"), name="alarms_ended_by_something"),
            *(
                moment("alarms", column)
                for column in ("first_at", "last_at", "acknowledged_at", "acknowledged_until", "ended_at")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.subject}"


class AlarmDelivery(models.Model):
    """A message about an alarm to one channel: the outbox, and the log of what was sent.

    While it waits, `next_at` is the moment of its next attempt; a sender that takes it moves that ahead first, so that
    a sender that dies leaves it to the next one. `message_id` stays the same at each attempt.
    """

    alarm = models.ForeignKey(Alarm, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    # The name of a channel, which may be deleted.
    channel = models.TextField()
    event = models.TextField()
    message_id = models.TextField()
    attempts = models.IntegerField(db_default=0)
    next_at = models.DateTimeField(db_default=Now())
    status = models.TextField(db_default="waiting")
    error = models.TextField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    # When it was sent, given up or cancelled.
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "alarm_deliveries"
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        default_permissions = ("view",)
        indexes = [
            # What is due on a channel: WHERE channel = ? AND status = 'waiting' ORDER BY next_at, id
            models.Index(fields=["channel", "next_at", "id"], condition=WAITING, name="idx_deliveries_waiting"),
            # What was sent of an alarm, and the foreign key: WHERE alarm_id = ? ORDER BY id
            models.Index(fields=["alarm", "id"], name="idx_deliveries_alarm"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["message_id"], name="deliveries_one_a_message"),
            models.CheckConstraint(
                condition=models.Q(event__in=["raised", "repeated", "ended", "test"]), name="deliveries_event_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status="waiting", done_at__isnull=True)
                | models.Q(status__in=["sent", "failed", "cancelled"], done_at__isnull=False),
                name="deliveries_status_known",
            ),
            models.CheckConstraint(condition=models.Q(attempts__gte=0), name="deliveries_attempts_from_0"),
            *(moment("alarm_deliveries", column) for column in ("next_at", "created_at", "done_at")),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.event}"


class AlarmChannel(models.Model):
    """Where alarms are sent. `address` and `secret` name variables of the environment where they hold a secret."""

    class Kind(models.TextChoices):
        WEBHOOK = "webhook", _("signed webhook")
        SLACK = "slack", _("Slack")
        FEISHU = "feishu", _("Feishu")
        EMAIL = "email", _("e-mail")

    name = models.TextField(_("name"))
    kind = models.TextField(_("kind"), choices=Kind.choices)
    address = models.TextField(_("address"))
    # The variable of the environment that holds the key by which a webhook is signed.
    secret = models.TextField(_("signing key"), blank=True, db_default="")
    pages_only = models.BooleanField(_("pages only"), default=False, db_default=False)
    is_on = models.BooleanField(_("on"), default=True, db_default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "alarm_channels"
        verbose_name = _("alarm channel")
        verbose_name_plural = _("alarm channels")
        constraints = [
            models.UniqueConstraint(Lower("name"), name="alarm_channels_name_ignoring_case"),
            models.CheckConstraint(
                condition=models.Q(name__regex=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), name="alarm_channels_name_form"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["webhook", "slack", "feishu", "email"]), name="alarm_channels_kind_known"
            ),
            models.CheckConstraint(condition=~models.Q(address=""), name="alarm_channels_address_given"),
            models.CheckConstraint(
                condition=models.Q(secret="") | models.Q(kind="webhook"), name="alarm_channels_secret_of_webhook"
            ),
            moment("alarm_channels", "created_at"),
        ]

    def __str__(self) -> str:
        return self.name


class AlarmRuleChange(models.Model):
    """A rule whose severity, threshold or paths differ from what is declared. NULL: as declared."""

    rule = models.TextField(_("rule"), primary_key=True)
    severity = models.TextField(_("severity"), null=True, blank=True)
    threshold = models.DecimalField(_("threshold"), max_digits=12, decimal_places=2, null=True, blank=True)
    # Beginnings of paths, of the rule about changed configurations.
    paths = ArrayField(models.TextField(), verbose_name=_("paths"), default=list, blank=True, db_default=[])

    class Meta:
        db_table = "alarm_rules"
        verbose_name = _("alarm rule")
        verbose_name_plural = _("alarm rules")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(severity__isnull=True) | models.Q(severity__in=["page", "notify", "show", "off"]),
                name="alarm_rules_severity_known",
            ),
            models.CheckConstraint(
                condition=models.Q(threshold__isnull=True) | models.Q(threshold__gte=0),
                name="alarm_rules_threshold_from_0",
            ),
        ]

    def __str__(self) -> str:
        return self.rule
