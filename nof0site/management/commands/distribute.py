"""Spreads the trading record over the servers of a Citus cluster, by trader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser

from traders.management.refusal import RefusingCommand, add_actor, given_actor, refusals
from traders.schema import jsonio
from trading.record.distribution import services
from trading.record.distribution.rules import TABLES, NotSpreadable
from trading.record.distribution.services import Figures, Plan

DEFAULT_SHARDS = 32


class Command(RefusingCommand):
    help = (
        "Spread positions, trades, decisions, messages, equity and results over a Citus cluster by trader. Without"
        " --yes it says what it would do, and writes nothing."
    )
    epilog = "exit codes: 0 done, nothing to do, or the plan was shown; 1 refused, nothing was changed"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = self.epilog
        parser.add_argument(
            "--shards",
            type=int,
            default=DEFAULT_SHARDS,
            metavar="N",
            help="parts of each table, which the servers share; chosen once (default %(default)s)",
        )
        parser.add_argument("--yes", action="store_true", help="do it; stop the site, managers and engines first")
        parser.add_argument("--json", action="store_true", help="one JSON object")
        add_actor(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        actor = given_actor(options["actor"])
        tell = self.stderr.write if options["json"] else self.stdout.write
        try:
            with refusals():
                if options["yes"]:
                    done, figures = services.distribute(options["shards"], actor=actor, told=tell)
                else:
                    done, figures = services.plan(options["shards"]), None
        except NotSpreadable as error:
            raise CommandError(f"{error}.") from error
        if options["json"]:
            self.stdout.write(jsonio.dumps(_json(done, figures)))
        else:
            self.stdout.write("\n".join(_lines(done, figures)))


def _lines(done: Plan, figures: Figures | None) -> Iterator[str]:
    if done.is_done:
        yield f"The record is spread already, over {done.shards} shards on {_servers(done)}."
        if done.leftover and figures is None:
            yield f"--yes empties the former tables on the first server: {', '.join(done.leftover)}."
        return
    if figures is None:
        yield f"It would spread the record over {done.shards} shards on {_servers(done)}:"
        for table in TABLES:
            yield f"  {table:<22}{done.rows[table]:>14,} rows, as PostgreSQL estimates"
        if done.is_restored:
            yield "It was spread where its backup was made: keys and rules stay as they are."
            yield "Nothing was written. Stop the site, managers and engines; then --yes."
            return
        for table, (_name, columns) in done.keys.items():
            yield f"  key of {table}: {', '.join(columns)}; a plain index on id"
        yield f"  triggers that go: {', '.join(name for _table, name in done.triggers)}"
        yield f"  constraints in their place: {', '.join(rule.name for rule in done.rules)}"
        yield f"  foreign keys that go: {', '.join(name for _table, name, _target in done.foreign_keys)}"
        yield "Nothing was written. Make a backup (manage.py backup), stop the site, managers and engines; then --yes."
        return
    yield f"Spread over {done.shards} shards on {_servers(done)}; rows and sums are the same as before:"
    for table, (rows, *sums) in figures.items():
        yield f"  {table:<22}{int(rows):>14,} rows; sums {', '.join(sums)}"
    yield "Next: manage.py harden --role ROLE, then start the site, managers and engines again."


def _servers(done: Plan) -> str:
    return ", ".join(done.nodes) or "this server"


def _json(done: Plan, figures: Figures | None) -> dict[str, Any]:
    return {
        "exit_code": 0,
        "is_written": figures is not None,
        "was_spread": done.is_done,
        "is_restored": done.is_restored,
        "shards": done.shards,
        "servers": done.nodes,
        "keys": {table: list(columns) for table, (_name, columns) in done.keys.items()},
        "triggers": [name for _table, name in done.triggers],
        "constraints": [rule.name for rule in done.rules],
        "foreign_keys": [name for _table, name, _target in done.foreign_keys],
        "leftover": done.leftover,
        "figures": figures,
    }
