"""The tables of API tokens. Imported by `traders.models`, which Django reads; written by `traders.tokens`."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from traders.constraints import moment
from traders.schema import tokens
from traders.schema.symbols import SYMBOL_FORM

_REVOKED = models.Q(revoked_at__isnull=False)


class ClockRefusal(models.Model):
    """Records of a token that were refused since their moment lies ahead of the server's clock: how many, and how far
    ahead the last one lay. `what` is the end of the address (`close`, `trades`, `equity`), `symbol` is empty where
    neither address nor body names one."""

    pk = models.CompositePrimaryKey("token_id", "trader_id", "what", "symbol")
    token = models.ForeignKey("ApiToken", on_delete=models.CASCADE, related_name="+", db_index=False)
    trader_id = models.TextField()
    what = models.TextField()
    symbol = models.TextField()
    refused = models.BigIntegerField(db_default=1)
    ahead_ms = models.BigIntegerField()
    first_at = models.DateTimeField(db_default=TransactionNow())
    last_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "clock_refusals"
        verbose_name = _("refused record")
        verbose_name_plural = _("refused records")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(symbol="") | models.Q(symbol__regex=SYMBOL_FORM), name="clock_refusals_symbol_form"
            ),
            moment("clock_refusals", "first_at"),
            moment("clock_refusals", "last_at"),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id} {self.what} {self.symbol}"


class ApiToken(models.Model):
    """By what an engine or a tool proves who it is. Of the token itself only the digest is kept."""

    name = models.TextField()
    # The token has 256 random bits: a plain fast hash is as safe as a slow one, and each request asks for it.
    digest = models.TextField()
    hint = models.TextField()
    scopes = ArrayField(models.TextField())
    # The traders it is limited to; NULL: all.
    trader_ids = ArrayField(models.TextField(), null=True, blank=True)
    created_at = models.DateTimeField(db_default=TransactionNow())
    created_by = models.TextField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.TextField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_tokens"
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        constraints = [
            models.UniqueConstraint(
                Lower("name"), condition=models.Q(revoked_at__isnull=True), name="api_tokens_name_ignoring_case"
            ),
            models.UniqueConstraint(fields=["digest"], name="api_tokens_digest"),
            models.CheckConstraint(condition=models.Q(name__regex=tokens.NAME), name="api_tokens_name_form"),
            models.CheckConstraint(condition=models.Q(digest__regex="^[0-9a-f]{64}$"), name="api_tokens_digest_form"),
            models.CheckConstraint(condition=models.Q(hint__regex="^[A-Za-z0-9_-]{1,8}$"), name="api_tokens_hint_form"),
            models.CheckConstraint(
                condition=models.Q(scopes__len__gte=1, scopes__contained_by=[scope.value for scope in tokens.Scope]),
                name="api_tokens_scopes_known",
            ),
            models.CheckConstraint(
                condition=models.Q(trader_ids__isnull=True) | models.Q(trader_ids__len__gte=1),
                name="api_tokens_limited_to_some",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=models.F("created_at")),
                name="api_tokens_expire_later",
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | models.Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="api_tokens_revoked_by_somebody",
            ),
            # A token whose times are from before the rule can still be revoked.
            *(moment("api_tokens", column, unless=_REVOKED) for column in ("created_at", "expires_at", "last_used_at")),
            moment("api_tokens", "revoked_at"),
        ]

    def __str__(self) -> str:
        return self.name
