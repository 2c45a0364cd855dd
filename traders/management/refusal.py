"""Commands that refuse with exit code 1 and a message: never a traceback, never argparse's own code 2."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper
from django.db import Error

from traders.database import writes
from traders.database.faults import fault_of, kept_from_starting, said_by_server
from traders.database.migrated import NotMigrated
from traders.database.violations import violated_rule
from traders.schema import jsonio
from traders.schema.actors import os_actor, problem_with
from traders.schema.problems import InvalidConfig, Problem
from traders.versions.rules.errors import ConfigError

MOST_LINES = 50


class RefusingCommand(BaseCommand):
    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        for one in (parser, *_verbs(parser)):
            one.error = partial(self._refuse, one)  # type: ignore[method-assign]
        return parser

    def _refuse(self, parser: argparse.ArgumentParser, message: str) -> NoReturn:
        if not getattr(self, "_called_from_command_line", False):
            raise CommandError(f"Error: {message}")
        parser.print_usage(sys.stderr)
        parser.exit(1, f"{parser.prog}: error: {message}\n")
        raise AssertionError("exit does not return")


def _verbs(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


@contextmanager
def refusals() -> Iterator[None]:
    """Turns what services and readers refuse, and a database that does not answer, into a CommandError."""
    writes.begin()
    try:
        yield
    except (InvalidConfig, ConfigError) as error:
        raise CommandError(_cut(str(error))) from error
    except NotMigrated as error:
        raise CommandError(f"{error} Nothing was written.") from error
    except Error as error:
        raise CommandError(database_words(error)) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(f"{error.filename or ''}: {error.strerror or error}".removeprefix(": ")) from error


@contextmanager
def refusals_as_json(out: OutputWrapper | None) -> Iterator[None]:
    """Writes a CommandError to `out` as one object too, and raises it; None: only raises it."""
    try:
        yield
    except CommandError as error:
        if out is not None:
            cause = error.__cause__
            problems = cause.problems if isinstance(cause, InvalidConfig) else []
            told = {"exit_code": 1, "refused": str(error), "problems": [problem_json(problem) for problem in problems]}
            out.write(jsonio.dumps(told))
        raise


def database_words(error: Error) -> str:
    """What is wrong with the database, including its own message, what to do, and whether something was written.

    One line; for an embedded server that does not start, the end of its log."""
    if reason := kept_from_starting(error):
        return reason
    if problem := violated_rule(error):
        return f"The database refuses {problem.path}: {problem.message} ({said_by_server(error)}). Nothing was written."
    fault = fault_of(error)
    if fault is None:
        return f"The database refused: {said_by_server(error)}"
    outcome = "It may have been written; run it again." if writes.may_be_written() else "Nothing was written."
    return f"{fault.title} ({said_by_server(error).rstrip('.')}). {outcome} {fault.then}"


def _cut(message: str) -> str:
    lines = message.splitlines()
    more = len(lines) - MOST_LINES
    return "\n".join([*lines[:MOST_LINES], f"and {more:,} more lines"]) if more > 1 else message


def problem_json(problem: Problem) -> dict[str, Any]:
    return {"line": problem.line, "trader": problem.trader_id, "path": problem.path, "message": problem.message}


def add_actor(parser: CommandParser) -> None:
    parser.add_argument("--actor", default="", help="the actor; by default cli: and the account's name")


def given_actor(actor: str) -> str:
    """What `--actor` said, else the account that runs the command. Raises CommandError for a reserved name."""
    if not actor:
        return os_actor()
    if problem := problem_with(actor):
        raise CommandError(f"--actor {actor!r}: {problem}.")
    return actor.strip()
