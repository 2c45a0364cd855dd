"""The site's settings, on servers of the tests' own.

What the environment or `.env` says about a site on this machine is set aside first: the tests never see
DATABASE_URL and REDIS_URL, and never touch what they point at.
"""

from __future__ import annotations

import os

from tests.servers import FAST_POSTGRES, new_data_dir, redis_of_this_process

# Every variable the settings read is named in .env.example.
for _name in (
    *("DEBUG", "ALLOWED_HOSTS", "HTTPS", "SECRET_KEY", "SECRET_KEY_FILE", "SECRET_KEY_FALLBACKS", "HSTS_SECONDS"),
    *("HSTS_SUBDOMAINS", "TRUST_X_FORWARDED_PROTO", "TRUSTED_PROXIES", "CSRF_TRUSTED_ORIGINS", "PGBOUNCER"),
    *(
        "DATABASE_KEEP_SECONDS",
        "DATABASE_URL_FILE",
        "REDIS_URL_FILE",
        "DATABASE_DIRECT_URL",
        "DATABASE_DIRECT_URL_FILE",
        "DATABASE_REPLICA_URL",
        "DATABASE_REPLICA_URL_FILE",
        "REPLICA_LAG_SECONDS",
        "MANAGER_YAML",
        "STATIC_ROOT",
        "NOF0_DEMO",
    ),
    *("LIVE_STORE_PLAIN", "EXPORT_DIR", "EXPORT_SECONDS", "EXPORT_TRADES", "EXPORT_CONVERSATIONS"),
    *("EXPORT_ACCOUNT_ROWS", "EXPORT_START_CAPITAL", "EXPORT_PROMPTS", "API_ACCESS", "API_TOKENS", "API_TOKENS_FILE"),
    *("API_CORS_ORIGINS", "API_DELAY_MINUTES", "API_STALE_SECONDS", "SERVE_ADMIN", "CLOCK_AHEAD_SECONDS"),
    *("ENTRIES_ALLOWED_SECONDS", "CONTROL_ACK_SECONDS", "STOP_FOR_VIEWERS"),
    "DESK_TIMEZONE",
    *("SERVE_ENGINE_API", "WEB_THREADS", "WEB_QUEUE", "ALLOW_ANY_HOST", "ALLOW_PUBLIC_DEBUG"),
    *("WEB_HEADER_SECONDS", "WEB_BODY_SECONDS", "WEB_BODY_RATE"),
    *("DATABASE_CONNECT_SECONDS", "DATABASE_STATEMENT_SECONDS"),
    *("DATABASE_LOCK_SECONDS", "DATABASE_IDLE_SECONDS", "DATABASE_COMMAND_STATEMENT_SECONDS"),
    *("DATABASE_COMMAND_LOCK_SECONDS", "DATABASE_COMMAND_IDLE_SECONDS"),
    "NOF0_DROP_DATA",
    "TOKEN_REQUESTS_PER_SECOND",
    "JOURNAL_ROOT",
    "RUN_MANAGER",
    *("AUDIT_KEEP_DAYS", "SESSION_IDLE_MINUTES", "SECOND_FACTOR_ROLES"),
    "BUDGET_OVER_PCT",
    *("ALARM_SECONDS", "ALARM_REPEAT_SECONDS", "ALARM_PRIVATE_ADDRESSES", "ALARM_HEARTBEAT_URL", "SITE_URL"),
    *("ADOPT_DATABASE_URL", "ADOPT_DATABASE_URL_FILE"),
    *("ALARM_HEARTBEAT_URL_FILE", "BACKUP_DIR", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD"),
    *("EMAIL_HOST_PASSWORD_FILE", "EMAIL_USE_TLS", "EMAIL_USE_SSL", "DEFAULT_FROM_EMAIL"),
):
    # Empty counts as unset, and keeps the line of a .env file out.
    os.environ[_name] = ""
os.environ["DATABASE_URL"] = os.environ.get("TEST_CITUS_URL") or os.environ.get("TEST_DATABASE_URL", "")
os.environ["REDIS_URL"] = redis_of_this_process()
os.environ["NOF0_DATA_DIR"] = str(new_data_dir())

from nof0site.postgresql.limits import TimeLimits  # noqa: E402
from nof0site.settings import *  # noqa: E402, F403
from nof0site.settings import CACHES, DATABASES, INSTALLED_APPS  # noqa: E402

# Benchmarks, pictures and tests fill their own databases with the demo's fleet.
INSTALLED_APPS = [*INSTALLED_APPS, "demo"]
EMBEDDED_POSTGRES_SETTINGS = FAST_POSTGRES
# The append-only tables may be truncated between tests by who says so, in a test database only.
_options = DATABASES["default"].setdefault("OPTIONS", {})
# Commits of a test wait for no disk, on an external server either.
_options["options"] = f"{_options.get('options', '')} -c nof0.test_flush=on -c synchronous_commit=off".strip()
DATABASES["default"]["CONN_MAX_AGE"] = 0
CACHES["default"]["KEY_PREFIX"] = "test"
# A machine that runs other things at the same time makes everybody wait longer than a site's visitor should.
DATABASE_LIMITS = TimeLimits(statement=120, lock=60, idle=120)

# Hashing a password slowly is what the real hasher is for.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
