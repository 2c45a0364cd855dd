"""Makes a backup in one snapshot of the database, and restores one in one transaction."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from nof0site.backup import queries
from nof0site.backup.archive import BadArchive, TableProof
from nof0site.backup.programs import environment, program
from traders.controls.writer import STOP_OF_A_RESTORE
from traders.database import sql

KNOWS_TRANSACTION_TIMEOUT = 170_000
"""The first version of PostgreSQL with this setting."""
HEAD_LINES = 40
"""Of a script of pg_restore, before its first row."""
# A program may copy for hours, while this session waits for it.
_PATIENT = """
SELECT set_config('idle_in_transaction_session_timeout', '0', true), set_config('statement_timeout', '0', true) AS waits
"""
# What the triggers hold for each change, of all rows at once.
_VERSIONS = """
DO $versions$ BEGIN
    IF EXISTS (SELECT FROM trader_config c WHERE version IS DISTINCT FROM
               (SELECT max(v.version) FROM trader_config_versions v WHERE v.id = c.id))
       OR EXISTS (SELECT FROM trader_config_versions GROUP BY id HAVING count(*) <> max(version) OR min(version) <> 1)
    THEN RAISE EXCEPTION 'the versions of a trader are not 1 to its version';
    END IF;
END $versions$;
"""


@contextmanager
def snapshot() -> Iterator[str]:
    """The name of a snapshot that stays as it is while it is open: for the dump, and for what proves it."""
    with transaction.atomic():
        sql.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        sql.values(_PATIENT)
        yield str(sql.value("SELECT pg_export_snapshot()"))


def applied_migrations() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def dump(to: Path, snapshot_name: str) -> None:
    left_out = [f"--exclude-table-data=public.{table}" for table in queries.NOT_KEPT]
    _run("pg_dump", "-Fc", "--no-owner", "--no-privileges", f"--snapshot={snapshot_name}", *left_out, f"--file={to}")


def load(dumped: Path, proofs: dict[str, TableProof]) -> None:
    """Everything in one transaction: the rows, the proof that they are those of the backup, and the stop of the fleet.

    It commits only after all of it. If this process, the program or the server is killed before, PostgreSQL rolls back.
    Raises BadArchive.
    """
    is_old = int(sql.value("SELECT current_setting('server_version_num')")) < KNOWS_TRANSACTION_TIMEOUT
    connection.close()
    reading: list[str | Path] = [program("pg_restore"), "--no-owner", "--no-privileges", "-f", "-", dumped]
    writing: list[str | Path] = [program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"]
    is_read = False
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as said_reading:
        psql = subprocess.Popen(
            writing, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=environment()
        )
        assert psql.stdin is not None
        # The pipe breaks when psql has ended with an error, and has said which.
        with contextlib.suppress(BrokenPipeError):
            psql.stdin.write(b"BEGIN;\n")
            psql.stdin.flush()
            with subprocess.Popen(reading, stdout=subprocess.PIPE, stderr=said_reading) as restore:
                assert restore.stdout is not None
                _pass_on(restore.stdout, psql.stdin, is_old=is_old)
            is_read = restore.returncode == 0
            if is_read:
                psql.stdin.write(_after(proofs).encode())
                psql.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            psql.stdin.close()
        if psql.wait() != 0 or not is_read:
            reason = _first_error(said) or _first_error(said_reading) or "psql ended without a reason"
            raise BadArchive(f"{reason}; nothing was restored")


def _pass_on(script: IO[bytes], to: IO[bytes], *, is_old: bool) -> None:
    """Without the setting at its beginning that an older server does not know: these programs may be newer than it."""
    for _ in range(HEAD_LINES):
        line = script.readline()
        if not (is_old and line.startswith(b"SET transaction_timeout")):
            to.write(line)
    shutil.copyfileobj(script, to)


def _after(proofs: dict[str, TableProof]) -> str:
    """What follows the dump's own script, up to the commit."""
    # The dump's script leaves an empty search_path behind.
    parts = ["SET search_path = public;", f"{queries.AS_TEXT};"]
    parts += [_proof_of(table, proof) for table, proof in proofs.items()]
    return "\n".join([*parts, _VERSIONS, STOP_OF_A_RESTORE, "COMMIT;\n"])


def _proof_of(table: str, proof: TableProof) -> str:
    if not table.replace("_", "").isalnum() or not proof.digest.isdigit():
        raise BadArchive(f"the manifest names {table!r}, which is no table of a backup")
    return f"""
DO $proof$ DECLARE found record; BEGIN
    SELECT {queries.PROOF} INTO found FROM public."{table}" t;
    IF found.rows <> {proof.rows} OR found.digest <> '{proof.digest}' THEN
        RAISE EXCEPTION '{table} has % rows, {proof.rows} in the backup, or rows that differ', found.rows;
    END IF;
END $proof$;"""


def _run(name: str, *arguments: str) -> None:
    done = subprocess.run([program(name), *arguments], env=environment(), capture_output=True, text=True)
    if done.returncode != 0:
        raise BadArchive(f"{name}: {done.stderr.strip().splitlines()[0] if done.stderr.strip() else 'failed'}")


def _first_error(file: IO[str]) -> str:
    file.seek(0)
    lines = [line.strip() for line in file if "error" in line.lower()]
    return lines[0] if lines else ""
