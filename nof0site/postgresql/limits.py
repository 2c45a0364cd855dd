"""How long PostgreSQL may keep a process waiting. A page gives up early; a command may work for long."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

# Pages look into an index once for each trader. The planner expects so many rows of that that a server with a compiler
# (`jit` is on by default) compiles the statement first, which takes up to a second each time.
NOT_COMPILED = {"jit": "off"}


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """In seconds; 0 is no limit."""

    statement: int
    """One statement, including its waits for locks."""
    lock: int
    """Waiting for one lock."""
    idle: int
    """A transaction that sends nothing. PostgreSQL ends its session, which frees what it locked."""

    @property
    def parameters(self) -> dict[str, str]:
        """As PostgreSQL's own parameters."""
        return {
            "statement_timeout": f"{self.statement}s",
            "lock_timeout": f"{self.lock}s",
            "idle_in_transaction_session_timeout": f"{self.idle}s",
        }

    @property
    def startup_options(self) -> str:
        """For libpq's `options`."""
        return " ".join(f"-c {name}={value}" for name, value in (self.parameters | NOT_COMPILED).items())

    @property
    def set_local(self) -> str:
        """Statements that hold until the transaction ends."""
        return "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in self.parameters.items())


class _InForce:
    """The limits of this process's new connections. Those of pages, unless it says that it is a command."""

    is_command = False


def use_for_command() -> None:
    """Called by `manage.py`."""
    _InForce.is_command = True


def use_for_pages() -> None:
    """Called by the WSGI application, which `manage.py runserver` and `serve` load too."""
    _InForce.is_command = False


def current() -> TimeLimits:
    limits: TimeLimits = settings.DATABASE_COMMAND_LIMITS if _InForce.is_command else settings.DATABASE_LIMITS
    return limits
