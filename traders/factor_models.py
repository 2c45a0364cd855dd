"""The table of second factors. Imported by `traders.models`, which Django reads; written by `accounts.factors`."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class SecondFactor(models.Model):
    """What an account proves itself by besides its password: codes that an app makes from a shared secret (RFC 6238).

    `secret` is encrypted with a key derived from SECRET_KEY. `recovery` holds the SHA-256 of each recovery code that
    was not used; a code has 80 random bits, so a fast hash is enough. `last_step` is the time step of the last accepted
    code: no code of it or before is accepted again.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="second_factor"
    )
    secret = models.TextField()
    recovery = ArrayField(models.TextField(), default=list, blank=True)
    last_step = models.BigIntegerField()
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "second_factors"
        default_permissions = ()

    def __str__(self) -> str:
        return f"second factor of account {self.user_id}"
