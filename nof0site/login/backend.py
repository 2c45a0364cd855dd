"""Checks the password of an account, and then the code of its second factor."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from traders.accounts.factors import writer as factors
from traders.accounts.factors.sealing import FactorUnreadable

log = logging.getLogger(__name__)


class AccountBackend(ModelBackend):
    """A wrong code is a wrong password to everything behind it: counted, locked and answered alike.

    `otp_token` bears a name that Django masks in the signal of a failed login. `has_shown_factor`: a session that was
    let in asks for the password alone, to change it.
    """

    def get_user(self, user_id: int) -> Any:
        """As Django's, with the preferences in the same statement: every page needs them."""
        user = User.objects.select_related("preferences").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        otp_token: str = "",
        has_shown_factor: bool = False,
        **others: Any,
    ) -> Any:
        user: Any = super().authenticate(request, username, password, **others)
        if user is None or has_shown_factor:
            return user
        try:
            is_right = factors.accept(user, otp_token)
        except FactorUnreadable:
            log.error("The second factor of %r cannot be read: SECRET_KEY has changed.", user.get_username())
            if request is not None:
                request.factor_is_unreadable = True  # type: ignore[attr-defined]
            return None
        user.has_shown_factor = is_right and hasattr(user, "second_factor")
        return user if is_right else None
