"""Management commands as processes of their own that start in no time: one process has loaded the site, and each
command is a fork of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.platform.processes import Machine, wait_for

# Loads the commands once, and runs one in a new process for every line that it is sent.
_FORKS = """
import json, os, signal, sys, traceback
import django; django.setup()
from importlib import import_module
from django.core.management import execute_from_command_line, get_commands
for name in sys.argv[1:]:
    import_module(f"{get_commands()[name]}.management.commands.{name}")
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    if child := os.fork():
        print(child, flush=True)
        continue
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log, *arguments = json.loads(line)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0), os.dup2(output, 1), os.dup2(output, 2)
    code = 0
    try:
        execute_from_command_line(["manage.py", *arguments])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os.write(1, b"ended with %d\\n" % code)
        os._exit(code)
# The process that asked for them is gone.
os.killpg(0, signal.SIGKILL)
"""
_ENDED = re.compile(r"^ended with (\d+)$", re.M)


@dataclass
class Forked:
    """A command that was started. Its output goes to a file, so that no pipe fills."""

    pid: int
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    @property
    def is_running(self) -> bool:
        return psutil.pid_exists(self.pid)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9, if it still runs."""
        # It may have ended by itself just now.
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)
        wait_for(lambda: not self.is_running)

    def says(self, text: str, seconds: float = 120) -> None:
        """Waits until it has said so."""
        wait_for(lambda: text in self.said or not self.is_running, seconds)
        assert text in self.said, self.said

    def end(self, seconds: float = 120) -> int:
        """Waits for its end; the exit code."""
        wait_for(lambda: not self.is_running, seconds)
        found = _ENDED.search(self.said)
        assert found, f"it was killed, or ended without a word:\n{self.said}"
        return int(found[1])


@dataclass
class Forks:
    """`logs` is a folder for their output."""

    machine: Machine
    logs: Path
    commands: tuple[str, ...]
    _process: subprocess.Popen[str] = field(init=False)
    _number: int = 0

    def __post_init__(self) -> None:
        self._process = self.machine.start("-c", _FORKS, *self.commands)

    def start(self, *arguments: str) -> Forked:
        """`arguments` as of manage.py."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._number += 1
        log = self.logs / f"{self._number:04}-{arguments[0]}.log"
        self._process.stdin.write(json.dumps([str(log), *arguments]) + "\n")
        self._process.stdin.flush()
        return Forked(int(self._process.stdout.readline()), log)

    def run(self, *arguments: str) -> str:
        """To its end, which must be a good one; what it said."""
        forked = self.start(*arguments)
        code = forked.end()
        assert code == 0, f"{' '.join(arguments)} ended with {code}:\n{forked.said}"
        return forked.said
