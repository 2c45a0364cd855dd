"""How long further attempts to log in are refused, by the wrong passwords so far. Arithmetic only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


class ThrottleScope(Enum):
    """What wrong passwords are counted for."""

    PAIR = "pair"  # one account from one address
    ACCOUNT = "account"  # one account from any address
    ADDRESS = "address"  # any account from one address


@dataclass(frozen=True)
class LoginLimit:
    """From the `failures`-th wrong password on, attempts are refused for `first`, then twice as long after each further
    one, at most for `longest`.
    """

    failures: int
    first: timedelta
    longest: timedelta

    def pause(self, failures: int) -> timedelta:
        beyond = failures - self.failures
        if beyond < 0:
            return timedelta(0)
        # Beyond this power every pause is the longest one; a larger number would overflow.
        return min(self.longest, self.first * (1 << min(beyond, 30)))


# Wrong passwords older than this are forgotten, so no pause is longer.
WINDOW = timedelta(minutes=15)
LIMITS: Mapping[ThrottleScope, LoginLimit] = {
    ThrottleScope.PAIR: LoginLimit(5, WINDOW, WINDOW),
    # Guesses from many addresses are slowed down. The pause stays short, because anyone could cause it for others.
    ThrottleScope.ACCOUNT: LoginLimit(20, timedelta(seconds=5), timedelta(seconds=60)),
    # One password tried on many accounts. Higher than PAIR, because an office may share an address.
    ThrottleScope.ADDRESS: LoginLimit(20, timedelta(seconds=30), WINDOW),
}


@dataclass(frozen=True)
class Failures:
    """The wrong passwords of one scope within WINDOW; `last` None with none."""

    count: int = 0
    last: datetime | None = None


@dataclass(frozen=True)
class LoginRefusal:
    scope: ThrottleScope
    until: datetime


def refusal(counted: Mapping[ThrottleScope, Failures], now: datetime, *, is_known: bool) -> LoginRefusal | None:
    """The refusal that lasts longest; None if an attempt is allowed.

    `is_known`: the account logged in from this address lately. Then only its own wrong passwords from there count, so
    that no other client, even behind the same address, can lock it out.
    """
    scopes = (ThrottleScope.PAIR,) if is_known else tuple(ThrottleScope)
    found = []
    for scope in scopes:
        failures = counted.get(scope, Failures())
        if failures.last is None:
            continue
        until = failures.last + LIMITS[scope].pause(failures.count)
        if until > now:
            found.append(LoginRefusal(scope, until))
    return max(found, key=lambda one: one.until, default=None)
