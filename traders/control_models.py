"""The tables of controls. Imported by `traders.models`, which Django reads; written by `traders.controls`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from traders.constraints import moment
from traders.schema.controls.rows import CAUSE_FORM, FLEET_KINDS, TRADER_KINDS, AckResult, ControlKind
from traders.schema.jsonio import ExactDecoder, ExactEncoder
from traders.schema.symbols import SYMBOL_FORM


def _values(kinds: Collection[ControlKind]) -> list[str]:
    return sorted(kind.value for kind in kinds)


def _given_for(column: str, kinds: set[ControlKind], or_not: set[ControlKind] | None = None) -> models.Q:
    """The column has a value for these kinds, may have one for `or_not`, and has none for the others."""
    given, absent = models.Q(**{f"{column}__isnull": False}), models.Q(**{f"{column}__isnull": True})
    either = or_not or set()
    condition = (models.Q(kind__in=_values(kinds)) & given) | (~models.Q(kind__in=_values(kinds | either)) & absent)
    return condition | models.Q(kind__in=_values(either)) if either else condition


class TraderControl(models.Model):
    """What was asked of a trader, or (trader NULL) of the fleet. Rows are added, never changed.

    The database gives `id`, `at` and `write_id`: the order of rows is that of their commits. It copies what is wanted
    into `trader_runtime_state.detail.desired`, whatever program writes a row here or there, and announces the row.
    """

    id = models.BigAutoField(primary_key=True)
    trader = models.ForeignKey(
        "traders.TraderConfig", on_delete=models.PROTECT, null=True, blank=True, related_name="controls", db_index=False
    )
    kind = models.TextField()
    until = models.DateTimeField(null=True, blank=True)
    version = models.IntegerField(null=True, blank=True)
    symbol = models.TextField(null=True, blank=True)
    cause = models.TextField(null=True, blank=True)
    reason = models.TextField()
    actor = models.TextField()
    account_id = models.BigIntegerField(null=True, blank=True)
    at = models.DateTimeField(db_default=Now())
    once = models.TextField(null=True, blank=True)
    detail: Any = models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder, default=dict, db_default={})
    write_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "trader_controls"
        verbose_name = _("control")
        verbose_name_plural = _("controls")
        default_permissions = ("view",)
        indexes = [
            # The last row of a kind, of one trader or of the fleet.
            models.Index(fields=["trader", "kind", "id"], name="idx_controls_trader_kind"),
            models.Index(fields=["write_id"], name="idx_controls_write"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["trader", "once"],
                condition=models.Q(once__isnull=False),
                nulls_distinct=False,
                name="trader_controls_once",
            ),
            models.CheckConstraint(
                condition=models.Q(trader__isnull=True, kind__in=_values(FLEET_KINDS))
                | models.Q(trader__isnull=False, kind__in=_values(TRADER_KINDS)),
                name="trader_controls_kind_known",
            ),
            models.CheckConstraint(
                condition=_given_for("until", {ControlKind.CLOSE, ControlKind.COOLDOWN}, or_not={ControlKind.PAUSE}),
                name="trader_controls_until_given",
            ),
            models.CheckConstraint(
                condition=_given_for("version", {ControlKind.PIN}), name="trader_controls_version_given"
            ),
            models.CheckConstraint(
                condition=_given_for(
                    "symbol", {ControlKind.COOLDOWN, ControlKind.CLEAR_COOLDOWN}, or_not={ControlKind.CLOSE}
                ),
                name="trader_controls_symbol_given",
            ),
            models.CheckConstraint(
                condition=_given_for("cause", {ControlKind.PAUSE, ControlKind.RESUME}),
                name="trader_controls_cause_given",
            ),
            models.CheckConstraint(
                condition=models.Q(cause__isnull=True) | models.Q(cause__regex=CAUSE_FORM),
                name="trader_controls_cause_form",
            ),
            models.CheckConstraint(
                condition=models.Q(symbol__isnull=True) | models.Q(symbol__regex=SYMBOL_FORM),
                name="trader_controls_symbol_form",
            ),
            models.CheckConstraint(
                condition=~models.Q(reason="") & ~models.Q(actor=""), name="trader_controls_says_who_and_why"
            ),
            moment("trader_controls", "at"),
            moment("trader_controls", "until"),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id or 'fleet'} {self.pk}"


class TraderControlAck(models.Model):
    """What an engine says of a control: it did it, did a part of it, or refused. The newest row of a control and a
    trader counts. `at` is the engine's moment, `received_at` this server's."""

    id = models.BigAutoField(primary_key=True)
    control = models.ForeignKey(TraderControl, on_delete=models.PROTECT, related_name="acks", db_index=False)
    trader = models.ForeignKey(
        "traders.TraderConfig", on_delete=models.PROTECT, related_name="control_acks", db_index=False
    )
    result = models.TextField()
    note = models.TextField(default="", db_default="", blank=True)
    actor = models.TextField()
    at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "trader_control_acks"
        verbose_name = _("acknowledgement of a control")
        verbose_name_plural = _("acknowledgements of controls")
        default_permissions = ("view",)
        indexes = [models.Index(fields=["control", "trader", "id"], name="idx_control_acks_control")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(result__in=[result.value for result in AckResult]),
                name="trader_control_acks_result_known",
            ),
            models.CheckConstraint(condition=~models.Q(actor=""), name="trader_control_acks_says_who"),
            moment("trader_control_acks", "at"),
            moment("trader_control_acks", "received_at"),
        ]

    def __str__(self) -> str:
        return f"{self.control_id} {self.trader_id} {self.result}"
