"""The earlier engine's databases, and the command that moves them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.trading.imports.adopt import schemas
from tests.trading.imports.adopt.earlier import EarlierDatabase, earlier_database
from traders.schema import jsonio

Adopt = Callable[..., dict[str, Any]]


@pytest.fixture
def legacy(db: None) -> Iterator[EarlierDatabase]:
    with earlier_database(schemas.LEGACY) as database:
        yield database


@pytest.fixture
def second(db: None) -> Iterator[EarlierDatabase]:
    with earlier_database(schemas.DETAIL) as database:
        yield database


@pytest.fixture
def squashed(db: None) -> Iterator[EarlierDatabase]:
    with earlier_database(schemas.SQUASHED) as database:
        yield database


@pytest.fixture
def rejects(tmp_path: Path) -> Path:
    return tmp_path / "rejects.jsonl"


@pytest.fixture
def adopt(rejects: Path) -> Adopt:
    """Runs the command; its report has the exit code besides."""

    def run(database: EarlierDatabase, *options: str) -> dict[str, Any]:
        out, code = StringIO(), 0
        try:
            given = ["--from", database.dsn, "--json", "--rejects", str(rejects), *options]
            call_command("adopt", *given, stdout=out)
        except SystemExit as error:
            code = int(error.code or 0)
        report: dict[str, Any] = jsonio.loads(out.getvalue())
        assert report["exit_code"] == code
        return report

    return run
