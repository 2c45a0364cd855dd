"""Replays recorded decisions, under the settings of their time or under others."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from traders.management.moments import past_moment
from traders.management.refusal import RefusingCommand, refusals
from traders.manager_yaml.reader import read_manager_yaml
from traders.schema import jsonio
from traders.schema.settings.trader import TraderSpec
from trading.management.replay_text import (
    change_lines,
    headline,
    other_lines,
    problem_lines,
    replay_json,
    replay_lines,
    sum_line,
)
from trading.replay.services import Replay, ReplayVerdict, recorded_trader, replay, replays
from trading.schema.ids import read_decision_name


class Command(RefusingCommand):
    help = (
        "Replay recorded decisions: parse the answer and ask every risk check again, under the configuration of its "
        "time, and compare with what was recorded. Never asks a model or an exchange, and writes nothing."
    )
    epilog = (
        "exit codes: 0 all agree, or other settings were asked for; "
        "1 refused, or some decision differs or could not be checked completely"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = self.epilog
        parser.add_argument(
            "id", nargs="?", type=_decision, metavar="ID", help="the decision's number in the journal, or TRADER|NUMBER"
        )
        parser.add_argument("--trader", metavar="ID", help="instead of one decision: all of this trader")
        parser.add_argument(
            "--from", dest="since", type=past_moment, metavar="TIME", help="with --trader: from then on"
        )
        parser.add_argument("--to", dest="until", type=past_moment, metavar="TIME", help="with --trader: before then")
        parser.add_argument("--with-version", type=int, metavar="N", help="also under this version of its trader")
        parser.add_argument("--with-config", type=Path, metavar="FILE", help="also under its entry in a manager.yaml")
        parser.add_argument("--json", action="store_true", help="one JSON object per decision and line")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = argparse.Namespace(**options)
        _refuse_contradictions(asked)
        verdicts: Counter[ReplayVerdict] = Counter()
        changed, other_name = 0, ""
        with refusals():
            for one in _replays(asked):
                verdicts[one.verdict] += 1
                changed += bool(one.changes)
                other_name = one.other_name
                for line in [jsonio.dumps(replay_json(one))] if asked.json else _lines(one, asked):
                    self.stdout.write(line)
        if not asked.json and asked.trader:
            self.stdout.write(sum_line(verdicts, changed, other_name))
        if verdicts.total() > verdicts[ReplayVerdict.AGREES] and not other_name:
            sys.exit(1)


def _decision(text: str) -> tuple[str | None, int]:
    try:
        return read_decision_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _refuse_contradictions(asked: argparse.Namespace) -> None:
    if (asked.id is None) == (asked.trader is None):
        raise CommandError("Give the id of a decision, or --trader ID.")
    if asked.trader is None and (asked.since or asked.until):
        raise CommandError("--from and --to go with --trader.")
    if asked.with_version is not None and asked.with_config is not None:
        raise CommandError("Give --with-version or --with-config, not both.")


def _replays(asked: argparse.Namespace) -> Iterator[Replay]:
    named, number = asked.id or (None, 0)
    trader_id = asked.trader or named or recorded_trader(number)
    spec = _spec(asked.with_config, trader_id) if asked.with_config else None
    found = (
        [replay(trader_id, number, version=asked.with_version, spec=spec)]
        if asked.trader is None
        else replays(trader_id, since=asked.since, until=asked.until, version=asked.with_version, spec=spec)
    )
    for one in found:
        yield replace(one, other_name=str(asked.with_config)) if spec else one


def _spec(path: Path, trader_id: str) -> TraderSpec:
    declared = read_manager_yaml(path).traders
    if trader_id not in declared:
        raise CommandError(f"{path} has no trader {trader_id!r}; it has {', '.join(declared) or 'none'}.")
    return declared[trader_id]


def _lines(one: Replay, asked: argparse.Namespace) -> Iterator[str]:
    """Of many, what agrees and does not change needs no line."""
    if asked.trader is None:
        yield from replay_lines(one)
    elif one.verdict is not ReplayVerdict.AGREES or one.changes:
        yield headline(one)
        yield from problem_lines(one)
        if one.config is None:
            yield from other_lines(one)
        if one.changes:
            yield from change_lines(one)
