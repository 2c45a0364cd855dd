"""The site's settings on servers of the benchmarks' own: embedded ones in a temporary directory, or BENCH_DATABASE_URL
and BENCH_REDIS_URL (an empty database).

The database is made for the run and dropped afterwards. Its server runs with the settings that the site's own has.
"""

from __future__ import annotations

import os
import tempfile

os.environ["DATABASE_URL"] = os.environ.get("BENCH_DATABASE_URL", "")
os.environ["REDIS_URL"] = os.environ.get("BENCH_REDIS_URL", "")
os.environ["DEBUG"] = os.environ["ALLOWED_HOSTS"] = ""
# A process that the benchmarks start finds the directory named already.
if "BENCH_DATA_DIR" not in os.environ:
    os.environ["BENCH_DATA_DIR"] = tempfile.mkdtemp(prefix="nof0-bench-")
os.environ["NOF0_DATA_DIR"] = os.environ["BENCH_DATA_DIR"]

from nof0site.settings import *  # noqa: F403
from nof0site.settings import DATABASES, INSTALLED_APPS, LOGGING

INSTALLED_APPS += ["benchmarks.obvious"]
# The obvious way writes its history by signals; ours sends none.
SIMPLE_HISTORY_ENABLED = True
# Lets the tables be emptied between two measurements, in a database named test_... only.
_options = DATABASES["default"].setdefault("OPTIONS", {})
_options["options"] = f"{_options.get('options', '')} -c nof0.test_flush=on".strip()
DATABASES["default"]["TEST"] = {"NAME": os.environ.get("BENCH_DATABASE_NAME", "test_bench_nof0")}
DATABASES["default"]["CONN_MAX_AGE"] = None
LOGGING["root"]["level"] = "WARNING"
