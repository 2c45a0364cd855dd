"""Makes, lists and revokes API tokens, for the owner of the machine."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from traders.management.refusal import RefusingCommand, refusals
from traders.management.table import table
from traders.schema.actors import os_actor
from traders.schema.tokens import PREFIX, IssuedToken, Scope
from traders.tokens import services as tokens

_HEADER = ("name", "state", "scopes", "begins with", "traders", "made", "by", "expires", "last used", "revoked")


class Command(RefusingCommand):
    help = "Make, list and revoke the API tokens of trading engines and tools."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make a token and print it, alone, on stdout: it is shown only now")
        create.add_argument("name", help="which engine or tool it is for, such as engine-1")
        create.add_argument(
            *("--scope", "-s"), action="append", default=[], dest="scopes", help=f"{', '.join(Scope)}; repeatable"
        )
        create.add_argument(
            *("--trader", "-t"),
            action="append",
            dest="traders",
            metavar="ID",
            help="limit it to this trader; repeatable; without it, it is for all traders",
        )
        create.add_argument(
            "--expires-in", type=_duration, metavar="DAYS", help="such as 90d or 12h; without it, it does not expire"
        )
        verbs.add_parser("list", help="all tokens that were ever made, the newest first")
        revoke = verbs.add_parser("revoke", help="refuse a token from now on, for good")
        revoke.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals():
            getattr(self, f"_{options['verb']}")(**options)

    def _create(
        self, *, name: str, scopes: list[str], traders: list[str] | None, expires_in: timedelta | None, **options: Any
    ) -> None:
        expires_at = timezone.now() + expires_in if expires_in else None
        token, text = tokens.create(
            name=name, scopes=scopes, actor=os_actor(), expires_at=expires_at, trader_ids=traders
        )
        until = f"until {_minute(expires_at)}" if expires_at else "until it is revoked"
        of = "" if token.trader_ids is None else f" for {', '.join(sorted(token.trader_ids))} only"
        self.stderr.write(f"{token.actor} may {', '.join(sorted(token.scopes))}{of}, {until}. It is not shown again:")
        self.stdout.write(text)

    def _list(self, **options: Any) -> None:
        found, now = tokens.existing(), timezone.now()
        if not found:
            self.stderr.write("No token was ever made.")
            return
        for line in table([_HEADER, *(_row(issued, now) for issued in found)]):
            self.stdout.write(line)

    def _revoke(self, *, name: str, **options: Any) -> None:
        issued = tokens.named(name)
        if issued.revoked_at is None:
            tokens.revoke(token_id=issued.token.id, actor=os_actor())
            self.stderr.write(f"Revoked {issued.token.name!r}: it is refused from now on.")
        else:
            when = _minute(issued.revoked_at)
            self.stderr.write(f"{issued.token.name!r} is revoked already, by {issued.revoked_by}, {when}.")


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([dh])", text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no duration; write it like 90d or 12h")
    number = int(found[1])
    return timedelta(days=number) if found[2] == "d" else timedelta(hours=number)


def _row(issued: IssuedToken, now: datetime) -> tuple[str, ...]:
    revoked = f"{_minute(issued.revoked_at)} by {issued.revoked_by}" if issued.revoked_at else "-"
    return (
        issued.token.name,
        issued.state(now),
        ",".join(sorted(issued.token.scopes)),
        PREFIX + issued.hint,
        "all" if issued.token.trader_ids is None else ",".join(sorted(issued.token.trader_ids)),
        _minute(issued.created_at),
        issued.created_by,
        _minute(issued.expires_at),
        _minute(issued.last_used_at),
        revoked,
    )


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}" if moment else "-"
