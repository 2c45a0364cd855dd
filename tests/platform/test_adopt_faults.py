"""Moving in, killed halfway, as a process: the database holds all of it or nothing."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import pytest

from tests.platform.processes import Machine
from tests.trading.imports.adopt import schemas
from tests.trading.imports.adopt.earlier import earlier_database

pytestmark = pytest.mark.faults

TRADES = 3000
KILLS = 4
SERVER = """
import json, django; django.setup()
from django.db import connection
asked = connection.get_connection_params()
print(json.dumps({name: str(asked[name]) for name in ("host", "port", "user", "password") if asked.get(name)}))
"""
COUNT = """
import django; django.setup()
from traders.models import TraderConfig
from trading.models import MoveIn, Position, Trade
print(Trade.objects.count(), Position.objects.count(), MoveIn.objects.count())
"""
ROWS = f"""
INSERT INTO trades (id, model_id, exchange_provider, symbol, side, trade_type, quantity, entry_price, entry_ts_ms,
                    exit_price, exit_ts_ms, realized_net_pnl)
SELECT 'steady_long|BTC|' || (1762165800000 + n)::text || '000000', 'steady_long', 'paper', 'BTC', 'long', 'close',
       0.01, 45000.1, 1762165800000 + n, 45500.3, 1762165800000 + n, 5.002 FROM generate_series(1, {TRADES}) AS n;
INSERT INTO positions (id, model_id, exchange_provider, symbol, side, status, entry_time_ms, entry_price, quantity)
VALUES ('steady_long|ETH', 'steady_long', 'paper', 'ETH', 'short', 'open', 1762165800000, 4000, 1);
"""


def test_a_move_killed_at_any_moment_has_written_nothing(machine: Machine, tmp_path: Path) -> None:
    holder, _ = machine.hold_servers()
    with earlier_database(schemas.LEGACY, json.loads(machine.python(SERVER))) as earlier:
        earlier.run(ROWS)
        (tmp_path / "dsn").write_text(earlier.dsn)
        machine.settings = {**machine.settings, "ADOPT_DATABASE_URL_FILE": str(tmp_path / "dsn")}
        machine.manage("migrate", "--verbosity", "0")
        for _ in range(KILLS):
            moving = machine.start("manage.py", "adopt")
            time.sleep(random.uniform(1.5, 4.0))
            moving.send_signal(signal.SIGKILL)
            moving.wait()
            machine.await_idle()
            found = machine.python(COUNT).split()
            if found != ["0", "0", "0"]:
                # On a fast machine a kill comes after the commit. A further move would be noted as one of its own.
                assert found == [str(TRADES), "1", "1"]
                break
        finished = machine.manage("adopt")
        assert finished.returncode == 0, finished.stdout
        assert machine.python(COUNT).split()[:2] == [str(TRADES), "1"]
    holder.terminate()
