"""The tables of the control plane, one model each.

Rules that a program writing SQL directly must keep as well (append-only history, rising versions, a history
row for every version, the fleet's sum) are triggers in `migrations/traders`. Only `traders` writes these rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from traders import generated
from traders.audit_models import AuditEntry as AuditEntry
from traders.constraints import moment
from traders.control_models import TraderControl as TraderControl
from traders.control_models import TraderControlAck as TraderControlAck
from traders.draft_models import FormDraft as FormDraft
from traders.factor_models import SecondFactor as SecondFactor
from traders.preference_models import AccountPreferences as AccountPreferences
from traders.preference_models import GainColours as GainColours
from traders.risk_models import SettingRisk as SettingRisk
from traders.schema.jsonio import ExactDecoder, ExactEncoder
from traders.schema.symbols import SYMBOL_FORM
from traders.session_models import AccountSession as AccountSession
from traders.token_models import ApiToken as ApiToken
from traders.token_models import ClockRefusal as ClockRefusal
from traders.versioned import VersionedModel, VersionRecords, VersionRow


def _json(**options: Any) -> models.JSONField[Any, Any]:
    return models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder, **options)


class TraderConfig(VersionedModel):
    """The current configuration of a trader; `trader_config_versions` holds every version, this one included.

    `save()` makes a version. The database itself refuses, by triggers, what passes `save()` by, such as
    `QuerySet.update()`, `bulk_create()`, `bulk_update()`, `loaddata` and SQL of another program:

    - a row that differs from its last version, or a version ahead of its row, at commit (migration 0004);
    - a version that does not follow the one before by one and in time (0004);
    - an UPDATE or DELETE of a version, a DELETE of a configuration, a TRUNCATE of either (0003);
    - at commit, a fleet whose traders get more than 100 % less the reserve (0005).

    With each trader the database makes its row of `trader_runtime_state` (0005); with each version it makes the rows
    of `config_writes` and the NOTIFY (0012).

    The generated columns are what lists show, filter and sort by; versions do not have them.
    """

    id = models.TextField(primary_key=True)
    version = models.IntegerField(db_default=1)
    exchange_provider = models.TextField()
    market_provider = models.TextField()
    allocation_pct = models.DecimalField(max_digits=5, decimal_places=2)
    detail = _json()
    created_at = models.DateTimeField(db_default=TransactionNow())
    updated_at = models.DateTimeField(db_default=TransactionNow())
    created_by = models.TextField(null=True, blank=True)
    retired = generated.flag("retired")
    display_name = generated.text("display_name")
    model = generated.text("llm__model")
    decision_interval_seconds = generated.whole_number("llm__decision_interval_seconds")

    history: Any = VersionRecords("trader_config_versions", "TraderConfigVersion")

    class Meta:
        db_table = "trader_config"
        verbose_name = _("trader")
        verbose_name_plural = _("traders")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["exchange_provider", "market_provider"], name="idx_trader_config_providers"),
        ]
        constraints = [
            models.UniqueConstraint(Lower("id"), name="trader_config_id_ignoring_case"),
            models.CheckConstraint(
                condition=models.Q(allocation_pct__gte=0, allocation_pct__lte=100),
                name="trader_config_allocation_pct_0_to_100",
            ),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="trader_config_version_from_1"),
            models.CheckConstraint(
                condition=models.Q(id__regex=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"),
                name="trader_config_id_form",
            ),
            moment("trader_config", "created_at"),
            moment("trader_config", "updated_at"),
        ]

    def __str__(self) -> str:
        return self.id


class ManagerConfig(VersionedModel):
    """The fleet's own settings: one row. Every change of any configuration locks it first.

    `save()` makes a version, and the triggers are those of TraderConfig.
    """

    id = models.SmallIntegerField(primary_key=True, default=1, db_default=1)
    version = models.IntegerField(db_default=1)
    detail = _json()
    created_at = models.DateTimeField(db_default=TransactionNow())
    updated_at = models.DateTimeField(db_default=TransactionNow())
    created_by = models.TextField(null=True, blank=True)

    history: Any = VersionRecords("manager_config_versions", "ManagerConfigVersion", change_set_index=True)

    class Meta:
        db_table = "manager_config"
        verbose_name = _("fleet settings")
        verbose_name_plural = _("fleet settings")
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="manager_config_one_row"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="manager_config_version_from_1"),
            moment("manager_config", "created_at"),
            moment("manager_config", "updated_at"),
        ]

    def __str__(self) -> str:
        return "manager_config"


class ConfigWrite(models.Model):
    """A transaction that wrote versions, made by the database. `position` is given at its commit and rises with the
    order of commits; a row without one belongs to the transaction that reads it."""

    id = models.BigAutoField(primary_key=True)
    change_set = models.BigIntegerField()
    position = models.BigIntegerField(null=True, blank=True, unique=True)

    class Meta:
        db_table = "config_writes"
        verbose_name = _("transaction that wrote versions")
        verbose_name_plural = _("transactions that wrote versions")
        indexes = [
            # The open transaction's own row: WHERE position IS NULL
            models.Index(fields=["id"], condition=models.Q(position__isnull=True), name="idx_config_writes_open"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ConfigWriteVersion(models.Model):
    """A version that a transaction wrote; `config_id` is a trader's id or "@manager". Ordered by bytes, as cursors."""

    pk = models.CompositePrimaryKey("write_id", "config_id", "version")
    write_id = models.BigIntegerField()
    config_id = models.TextField(db_collation="C")
    version = models.IntegerField()

    class Meta:
        db_table = "config_write_versions"
        verbose_name = _("version of a transaction")
        verbose_name_plural = _("versions of transactions")

    def __str__(self) -> str:
        return f"{self.config_id} v{self.version}"


class TraderRuntimeState(models.Model):
    """What engines observed. The database makes the row with its trader; only engines move it after that."""

    trader = models.OneToOneField(
        TraderConfig, on_delete=models.PROTECT, primary_key=True, related_name="runtime_state"
    )
    active_config_version = models.IntegerField(null=True, blank=True)
    is_running = models.BooleanField(default=False, db_default=False)
    detail = _json(default=dict, db_default={})
    updated_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "trader_runtime_state"
        verbose_name = _("runtime state")
        verbose_name_plural = _("runtime states")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(active_config_version__isnull=True) | models.Q(active_config_version__gte=1),
                name="trader_runtime_state_version_from_1",
            ),
            models.CheckConstraint(
                condition=models.Q(is_running=False) | models.Q(active_config_version__isnull=False),
                name="trader_runtime_state_running_has_version",
            ),
            moment("trader_runtime_state", "updated_at"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class TraderSymbolCooldown(models.Model):
    """No new entry of this trader in this symbol until then."""

    pk = models.CompositePrimaryKey("trader_id", "symbol")
    trader = models.ForeignKey(TraderConfig, on_delete=models.PROTECT, related_name="cooldowns", db_index=False)
    symbol = models.TextField()
    cooldown_until = models.DateTimeField()
    detail = _json(default=dict, db_default={})
    created_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "trader_symbol_cooldowns"
        verbose_name = _("cooldown")
        verbose_name_plural = _("cooldowns")
        indexes = [
            # Cooldowns that still hold: WHERE cooldown_until > now(); a partial index cannot say that.
            models.Index(fields=["cooldown_until"], name="idx_cooldowns_expire"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(symbol__regex=SYMBOL_FORM),
                name="trader_symbol_cooldowns_symbol_form",
            ),
            moment("trader_symbol_cooldowns", "cooldown_until"),
            moment("trader_symbol_cooldowns", "created_at"),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id} {self.symbol}"


MISSING = "missing"
"""Stands in `yaml_base` for the digest of a trader that the last synced file did not have."""


class YamlBase(models.Model):
    """What the file declared at the last sync: the base of the three-way comparison.

    `trader_id` may also be the fleet's "@manager". `declared` is nested like a snapshot; where a conflict is
    open its path keeps the older base. `declared_digest` is the digest of what the file declared, so that an
    unchanged trader is recognised without reading `declared`.
    """

    trader_id = models.TextField(primary_key=True)
    declared = _json()
    declared_digest = models.TextField()
    file_sha256 = models.TextField()
    synced_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "yaml_base"
        verbose_name = _("synced declaration")
        verbose_name_plural = _("synced declarations")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(file_sha256__regex="^[0-9a-f]{64}$"), name="yaml_base_file_sha256_form"
            ),
            moment("yaml_base", "synced_at"),
        ]

    def __str__(self) -> str:
        return self.trader_id


class SyncConflict(models.Model):
    """A path that file and database changed differently; it waits here until an operator picks."""

    pk = models.CompositePrimaryKey("config_id", "path")
    config_id = models.TextField()
    path = models.TextField()
    declared = _json()  # {"base": ..., "file": ...}; a side that has no such path is left out
    file_sha256 = models.TextField()
    seen_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "sync_conflicts"
        verbose_name = _("sync conflict")
        verbose_name_plural = _("sync conflicts")
        constraints = [moment("sync_conflicts", "seen_at")]

    def __str__(self) -> str:
        return f"{self.config_id} {self.path}"


class PromptText(models.Model):
    """A prompt template's text, stored permanently under the digest of its bytes."""

    sha256 = models.TextField(primary_key=True)
    path = models.TextField()
    version = models.TextField()
    body = models.TextField()
    first_seen_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "prompt_texts"
        verbose_name = _("prompt text")
        verbose_name_plural = _("prompt texts")
        constraints = [moment("prompt_texts", "first_seen_at")]

    def __str__(self) -> str:
        return f"{self.path} {self.version}"


if TYPE_CHECKING:
    # django-simple-history makes these classes at run time.

    class _Versions(VersionRow):
        history_id = models.BigAutoField(primary_key=True)
        history_date = models.DateTimeField()
        history_type = models.CharField(max_length=1)
        history_change_reason = models.TextField()
        history_user_id = models.TextField()
        id: Any
        version = models.IntegerField()
        detail = _json()
        created_at = models.DateTimeField()
        updated_at = models.DateTimeField()
        created_by = models.TextField(null=True)

        class Meta:
            abstract = True

    class TraderConfigVersion(_Versions):
        id = models.TextField()
        exchange_provider = models.TextField()
        market_provider = models.TextField()
        allocation_pct = models.DecimalField(max_digits=5, decimal_places=2)
        instance: TraderConfig
        prev_record: TraderConfigVersion | None
        next_record: TraderConfigVersion | None

    class ManagerConfigVersion(_Versions):
        id = models.SmallIntegerField()
        instance: ManagerConfig
        prev_record: ManagerConfigVersion | None
        next_record: ManagerConfigVersion | None

else:
    TraderConfigVersion = TraderConfig.history.model
    ManagerConfigVersion = ManagerConfig.history.model
