"""Lets the owner of the machine log in again."""

from __future__ import annotations

import secrets
from typing import Any

from axes.utils import reset
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from nof0site.serving.prepare import FIRST_USER
from traders.accounts.factors import writer as factors
from traders.accounts.writer import whole
from traders.audit import writer as audit
from traders.audit.rules import AuditKind
from traders.schema.actors import os_actor


class Command(BaseCommand):
    help = "Give an account a new random password and print it once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove-factor", action="store_true", help="and remove its second factor, if it is lost")
        parser.add_argument("username", nargs="?", default=FIRST_USER, help=f"the account (default {FIRST_USER})")

    def handle(self, *args: Any, username: str, remove_factor: bool = False, **options: Any) -> None:
        users = get_user_model().objects
        user = users.filter(username=username).first()
        if user is None:
            known = ", ".join(users.order_by("username").values_list("username", flat=True)[:20])
            raise CommandError(
                f"There is no account {username!r}. "
                + (f"Known: {known}." if known else "Run the site once with `make run`: it makes the first one.")
            )
        password = secrets.token_urlsafe(12)
        user.set_password(password)
        user.is_active = True
        with whole():
            user.save(update_fields=["password", "is_active"])
            audit.note(AuditKind.PASSWORD_SET, actor=os_actor(), subject=username)
            is_removed = remove_factor and factors.remove(user, actor=os_actor())
        reset(username=username)
        self.stdout.write(f"User {username}, password {password} (shown only now). Its sessions have ended.")
        if remove_factor:
            self.stdout.write("Its second factor is removed." if is_removed else "It has no second factor.")
