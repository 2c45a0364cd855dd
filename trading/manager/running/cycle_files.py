"""Writes the cycle files of traders that ask for them. The record has the same, so a full disk costs only the file."""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path

from django.conf import settings

from traders.manager_yaml.yaml.source import UnreadableFile, open_regular
from traders.schema.jsonio import ExactEncoder
from traders.schema.settings.journal import journal_dir_problem
from trading.manager.queries import TraderNow
from trading.manager.recording import CycleRecord
from trading.manager.rules.cycle_file import cycle_file, file_name

log = logging.getLogger(__name__)
_naming = threading.Lock()


def write(trader: TraderNow, done: CycleRecord) -> Path | None:
    """The file; None where the trader asks for none, or it could not be written."""
    journal = trader.spec.detail.journal
    if not journal.enabled or done.decision_id is None:
        return None
    named = journal.dir or f"journal/{trader.spec.id}"
    if journal_dir_problem(named):
        log.error("The cycle files of %s have no place below the journal root: %s", trader.spec.id, named)
        return None
    entry = done.entry
    path: Path = settings.JOURNAL_ROOT / named / file_name(entry, done.cycle_number)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A reader never sees half a file.
        half = path.with_name(f".{path.name}.{trader.spec.id}.{os.getpid()}")
        half.write_text(json.dumps(cycle_file(entry, done.cycle_number), cls=ExactEncoder, indent=2), encoding="utf-8")
        with _naming:
            if _is_of_another(path, trader.spec.id):
                path = path.with_stem(f"{path.stem}_{trader.spec.id}")
            half.replace(path)
    except OSError as error:
        log.error("The cycle file %s could not be written: %s", path, error)
        return None
    return path


def _is_of_another(path: Path, trader_id: str) -> bool:
    """Whether another trader that writes into the directory ended a cycle of this number within the same second."""
    try:
        with open_regular(path) as file:
            found = json.loads(file.read())
    except (OSError, ValueError, UnreadableFile):
        return False
    return isinstance(found, dict) and found.get("trader_id") != trader_id
