"""Settings of the site. Everything that differs between machines comes from the environment (see .env.example)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv

from nof0site.access import access_note, api_tokens, document_access, second_factor_roles
from nof0site.databases import embedded_database, external_database, replica_database
from nof0site.embedded.paths import default_data_dir
from nof0site.environment.secret_key import local_secret_key
from nof0site.environment.variables import env_bool, env_int, env_list, env_secret, env_secrets, env_str, env_zone
from nof0site.hosts import only_loopback, refuse_unsafe
from nof0site.login.throttle import WINDOW
from nof0site.postgresql.limits import TimeLimits
from nof0site.rediscache import embedded_redis, external_redis
from nof0site.serving.body_limits import FORM_BYTES
from nof0site.unfold import UNFOLD as UNFOLD

# ModelAdmin[TraderConfig] and its like fail at import without this.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
# Variables that are set already win over the file.
load_dotenv(BASE_DIR / ".env")

# A demo is kept apart from the site's data: everything is in a directory of its own, and other settings are ignored.
DEMO = env_bool("NOF0_DEMO", default=False)
# Local data: the embedded servers' files, the local secret key, the collected static files.
DATA_DIR = Path(env_str("NOF0_DATA_DIR") or default_data_dir(BASE_DIR)).absolute()
if DEMO:
    DATA_DIR = DATA_DIR.with_name(f"{DATA_DIR.name}-demo")
# The declared fleet: imported once into an empty database, compared at each later start. The demo has its own.
MANAGER_YAML = Path(env_str("MANAGER_YAML") or BASE_DIR / "etc" / "manager.yaml").absolute()
if DEMO:
    MANAGER_YAML = DATA_DIR / "etc" / "manager.yaml"

# Below it engines write the cycle files of traders (journal_dir), whose configurations may name no other place.
JOURNAL_ROOT = Path(env_str("JOURNAL_ROOT") or MANAGER_YAML.parent).absolute()

# --- Security -------------------------------------------------------------------------------------------------
DEBUG = env_bool("DEBUG", default=False)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
LOOPBACK_ONLY = only_loopback(ALLOWED_HOSTS)
refuse_unsafe(
    ALLOWED_HOSTS,
    debug=DEBUG,
    allow_any=env_bool("ALLOW_ANY_HOST", default=False),
    allow_debug=env_bool("ALLOW_PUBLIC_DEBUG", default=False),
)
HTTPS = env_bool("HTTPS", default=not LOOPBACK_ONLY)

SECRET_KEY = env_secret("SECRET_KEY")
if not SECRET_KEY:
    if not LOOPBACK_ONLY:
        raise ImproperlyConfigured(
            f"ALLOWED_HOSTS={','.join(ALLOWED_HOSTS)} opens the site to other machines: set SECRET_KEY, or "
            "SECRET_KEY_FILE to the path of a file, with at least 50 random characters, the same for every process."
        )
    SECRET_KEY = local_secret_key(DATA_DIR)
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS", default=[])

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env_int("HSTS_SECONDS", default=31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS and env_bool("HSTS_SUBDOMAINS", default=True)
# Only behind a proxy that sets or removes this header itself: otherwise any client could claim to have come by HTTPS.
if env_bool("TRUST_X_FORWARDED_PROTO", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", default=[])
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTHENTICATION_BACKENDS = ["nof0site.login.pages.ThrottlingBackend", "nof0site.login.backend.AccountBackend"]
# Roles whose accounts must have a second factor; `none` for no role.
SECOND_FACTOR_ROLES = second_factor_roles(env_list("SECOND_FACTOR_ROLES", default=[]), is_local=LOOPBACK_ONLY)
# Wrong passwords are counted in PostgreSQL, so that all web servers share the count. `nof0site.login.throttle` has the
# limits.
AXES_HANDLER = "nof0site.login.attempts.AttemptHandler"
# What a successful login resets.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = WINDOW
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "traders.audit.origin.client_address"
AXES_LOCKOUT_CALLABLE = "nof0site.login.pages.locked_out"
# Lists the addresses from which an account logged in recently.
AXES_DISABLE_ACCESS_LOG = False
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# How long an entry of the audit of access is kept; a change holds for later entries.
AUDIT_KEEP_DAYS = env_int("AUDIT_KEEP_DAYS", default=730, minimum=30)
# How many proxies stand before the site and append to X-Forwarded-For.
TRUSTED_PROXIES = env_int("TRUSTED_PROXIES", default=0)

# --- Application ----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    # The theme replaces templates of django.contrib.admin, so it comes first.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "nof0site.apps.ControlAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    # Makes runserver leave static files to WhiteNoise, as every other server does.
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "simple_history",
    "axes",
    # The page that explains the engine API, with its scripts from this site.
    "ninja",
    "traders",
    "trading",
    *(["demo"] if DEMO else []),
    "nof0site.apps.SiteConfig",
]
MIDDLEWARE = [
    "nof0site.middleware.nothing_written_yet",
    "nof0site.middleware.address_known",
    # Before all that refuses a request in words.
    "nof0site.languages.middleware.PageLanguage",
    # Before the redirect to HTTPS.
    "nof0site.middleware.no_token_over_plain_http",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "nof0site.middleware.content_security_policy",
    "nof0site.middleware.only_sound_lengths",
    "nof0site.middleware.no_null_characters",
    "nof0site.middleware.other_method_as_json",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "nof0site.middleware.session_used",
    "nof0site.languages.middleware.language_of_the_account",
    "nof0site.middleware.zone_of_the_viewer",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Turns a refused login into the page that says for how long.
    "axes.middleware.AxesMiddleware",
    # The last one, since it calls the view.
    "nof0site.replica.middleware.ReadFromReplica",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Ours lie at the top, one folder a family of pages. None lies under `admin/`, which would shadow the theme's.
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
ROOT_URLCONF = "nof0site.urls"
CSRF_FAILURE_VIEW = "nof0site.errors.pages.outdated_form"
WSGI_APPLICATION = "nof0site.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Models and migrations are apart so that the tables' history reads as one list.
MIGRATION_MODULES = {"traders": "migrations.traders", "trading": "migrations.trading"}

# --- Storage --------------------------------------------------------------------------------------------------
DATABASE_URL = "" if DEMO else env_secret("DATABASE_URL")
REDIS_URL = "" if DEMO else env_secret("REDIS_URL")
_CONNECT_SECONDS = env_int("DATABASE_CONNECT_SECONDS", default=5, minimum=2)
DATABASES: dict[str, Any] = {
    "default": external_database(
        DATABASE_URL,
        through_pgbouncer=env_bool("PGBOUNCER", default=False),
        keep_seconds=env_int("DATABASE_KEEP_SECONDS", default=60),
        connect_seconds=_CONNECT_SECONDS,
    )
    if DATABASE_URL
    else embedded_database(DATA_DIR, connect_seconds=_CONNECT_SECONDS)
}
# A streaming replica, for lists, analytics, history and the export while it is less than so many seconds behind.
_REPLICA_URL = "" if DEMO else env_secret("DATABASE_REPLICA_URL")
if _REPLICA_URL:
    DATABASES["replica"] = replica_database(
        _REPLICA_URL,
        through_pgbouncer=env_bool("PGBOUNCER", default=False),
        keep_seconds=env_int("DATABASE_KEEP_SECONDS", default=60),
    )
DATABASE_ROUTERS = ["nof0site.replica.router.ReplicaRouter"]
REPLICA_LAG_SECONDS = env_int("REPLICA_LAG_SECONDS", default=10, minimum=1)
# Around a PgBouncer that pools by transaction: for what belongs to a session, such as LISTEN.
_DIRECT_URL = "" if DEMO else env_secret("DATABASE_DIRECT_URL")
DATABASE_DIRECT: dict[str, Any] | None = (
    external_database(
        _DIRECT_URL,
        through_pgbouncer=False,
        keep_seconds=0,
        connect_seconds=_CONNECT_SECONDS,
        variable="DATABASE_DIRECT_URL",
    )
    if _DIRECT_URL
    else None
)
# Of pages and of the engine API: each answers in time, even if another session holds a lock.
DATABASE_LIMITS = TimeLimits(
    statement=env_int("DATABASE_STATEMENT_SECONDS", default=30),
    lock=env_int("DATABASE_LOCK_SECONDS", default=5),
    idle=env_int("DATABASE_IDLE_SECONDS", default=60),
)
# For commands: migrations, syncs, imports, exports, checks.
DATABASE_COMMAND_LIMITS = TimeLimits(
    statement=env_int("DATABASE_COMMAND_STATEMENT_SECONDS", default=3600),
    lock=env_int("DATABASE_COMMAND_LOCK_SECONDS", default=60),
    idle=env_int("DATABASE_COMMAND_IDLE_SECONDS", default=600),
)
CACHES: dict[str, Any] = {"default": external_redis(REDIS_URL) if REDIS_URL else embedded_redis(DATA_DIR)}
# Keys of the live store whose values are never compressed, for readers that cannot unpack zstd; `all` for every key.
LIVE_STORE_PLAIN = env_list("LIVE_STORE_PLAIN", default=[])
# Further settings of the embedded PostgreSQL, given to it at its start.
EMBEDDED_POSTGRES_SETTINGS: dict[str, str] = {}
# Allows `migrate` to reverse migrations whose tables and columns hold data; set it for one command only.
DROP_DATA = env_bool("NOF0_DROP_DATA", default=False)
# In PostgreSQL, in a table of ours that says whose they are.
SESSION_ENGINE = "traders.session_models"
# A session that no person uses for so long ends.
SESSION_COOKIE_AGE = 60 * env_int("SESSION_IDLE_MINUTES", default=720, minimum=5)
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"

# Whether `make run` starts the manager, which runs traders on paper. The demo always has it.
RUN_MANAGER = DEMO or env_bool("RUN_MANAGER", default=False)

# --- Export and read API --------------------------------------------------------------------------------------
# Where `export_json` writes and the API reads.
EXPORT_DIR = Path((not DEMO and env_str("EXPORT_DIR")) or DATA_DIR / "export").absolute()
# Between two runs of the exporter; with 0 `make run` starts none.
EXPORT_SECONDS = env_int("EXPORT_SECONDS", default=60)
# Limits of the documents, for the whole fleet.
EXPORT_TRADES = env_int("EXPORT_TRADES", default=2_500, minimum=1)
EXPORT_CONVERSATIONS = env_int("EXPORT_CONVERSATIONS", default=200, minimum=1)
EXPORT_ACCOUNT_ROWS = env_int("EXPORT_ACCOUNT_ROWS", default=20_000, minimum=1)
# Initial equity, USD, of the benchmark and of traders without recorded equity.
EXPORT_START_CAPITAL = env_int("EXPORT_START_CAPITAL", default=10_000, minimum=1)
EXPORT_PROMPTS = env_bool("EXPORT_PROMPTS", default=True)

_access = env_list("API_ACCESS", default=[])
API_ACCESS = document_access(_access, is_local=LOOPBACK_ONLY)
API_TOKENS = api_tokens(env_secret("API_TOKENS"), _access)
API_ACCESS_NOTE = access_note(_access, API_ACCESS, API_TOKENS)
API_CORS_ORIGINS = env_list("API_CORS_ORIGINS", default=[])
API_DELAY_MINUTES = env_int("API_DELAY_MINUTES", default=0)
# An export is stale after this many seconds.
API_STALE_SECONDS = env_int("API_STALE_SECONDS", default=3 * (EXPORT_SECONDS or 60), minimum=1)
# The admin may be left out where only the API is to be reached, and the engine API served all the same.
SERVE_ADMIN = env_bool("SERVE_ADMIN", default=True)
SERVE_ENGINE_API = env_bool("SERVE_ENGINE_API", default=SERVE_ADMIN)
# Threads of a worker of `serve` for pages, and how many requests may wait for one.
WEB_THREADS = env_int("WEB_THREADS", default=4, minimum=1)
WEB_QUEUE = env_int("WEB_QUEUE", default=64)
# How far ahead of this server's clock a recorded moment may lie; a later one is refused. The database refuses a day.
# Whose midnight begins a day on pages; figures per day of the analytics stay UTC.
DESK_TIMEZONE = env_zone("DESK_TIMEZONE", default="UTC")
CLOCK_AHEAD_SECONDS = env_int("CLOCK_AHEAD_SECONDS", default=300, minimum=1)
# For so long an engine may open positions after an answer that allows it; one that cannot ask again opens nothing.
ENTRIES_ALLOWED_SECONDS = env_int("ENTRIES_ALLOWED_SECONDS", default=30, minimum=1)
# An engine that has not acknowledged a control after so long is said not to follow it.
CONTROL_ACK_SECONDS = env_int("CONTROL_ACK_SECONDS", default=30, minimum=1)
# Whether viewers may stop, drain and pause traders, and stop the fleet.
STOP_FOR_VIEWERS = env_bool("STOP_FOR_VIEWERS", default=False)
# A model's budget holds a trader with an open position at this share of it, in %; a flat one at the budget itself.
BUDGET_OVER_PCT = env_int("BUDGET_OVER_PCT", default=120, minimum=100)
# Of the engine API, for each token and worker process; 0 lifts the limit.
TOKEN_REQUESTS_PER_SECOND = env_int("TOKEN_REQUESTS_PER_SECOND", default=100)
# How long a client may take for the header, and for a body of any length; a longer one must keep to the rate (bytes per
# second) beyond that.
WEB_HEADER_SECONDS = env_int("WEB_HEADER_SECONDS", default=10, minimum=1)
WEB_BODY_SECONDS = env_int("WEB_BODY_SECONDS", default=20, minimum=1)
WEB_BODY_RATE = env_int("WEB_BODY_RATE", default=32_768, minimum=1)
# Of a form without its files; `serving.body_limits` refuses what is larger before Django sees it.
DATA_UPLOAD_MAX_MEMORY_SIZE = FORM_BYTES

# --- Alarms -----------------------------------------------------------------------------------------------------
# Between two looks at everything that alarms watch; with 0 `make run` starts no sender.
ALARM_SECONDS = env_int("ALARM_SECONDS", default=60)
# How soon a page is sent again that is open and not acknowledged.
ALARM_REPEAT_SECONDS = env_int("ALARM_REPEAT_SECONDS", default=600, minimum=60)
# The site as people reach it, for the links in messages; without one messages hold none.
SITE_URL = env_str("SITE_URL").rstrip("/")
# Hosts and networks that alarms may be sent to although their addresses are private.
ALARM_PRIVATE_ADDRESSES = env_list("ALARM_PRIVATE_ADDRESSES", default=[])
# Called each minute while all is well, so that another machine notices when this one is dead.
ALARM_HEARTBEAT_URL = env_secret("ALARM_HEARTBEAT_URL")
# What `${NAME}` in a channel's address, and the name of its signing key, may stand for. Other secrets of the site have
# other names, so that no address can send them out.
ALARM_SECRETS = env_secrets(r"(?:NOF0_)?(?:ALARM|ALERT)_[A-Z0-9_]+")
# Addresses and keys of language models: of all providers, and with a provider's name in them of this one.
LLM_ENDPOINTS = env_secrets(r"LLM_(?:[A-Z0-9_]+_)?(?:BASE_URL|API_KEY)")
EMAIL_HOST = env_str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env_int("EMAIL_PORT", default=25, minimum=1)
EMAIL_HOST_USER = env_str("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env_secret("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env_bool("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = env_bool("EMAIL_USE_SSL", default=False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env_str("DEFAULT_FROM_EMAIL", default="nof0@localhost")
# Where backups are put, if alarms are to watch their age.
BACKUP_DIR = env_str("BACKUP_DIR")
# The database of the earlier engine, for `manage.py adopt` alone.
ADOPT_DATABASE_URL = env_secret("ADOPT_DATABASE_URL")

# --- Static files ---------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path((not DEMO and env_str("STATIC_ROOT")) or DATA_DIR / "static").absolute()
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "nof0site.serving.staticfiles.CollectedOrSourceStorage"},
}
# Fonts in place of the theme's: a tenth of their bytes (scripts/fonts.py).
STATICFILES_DIRS = [BASE_DIR / "nof0site" / "theme"]
# Unhashed names are served from the apps themselves, so that nothing depends on collectstatic having run.
WHITENOISE_USE_FINDERS = True
# So a collection holds each file once, under its hashed name.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# --- Language and time ----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
# Each in its own words, so that a person finds it. Pages only: programs and commands are answered in English.
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 400 * 24 * 60 * 60
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- Logging --------------------------------------------------------------------------------------------------
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"refusals": {"()": "nof0site.errors.logs.RefusalsInOneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusals"]}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # Django's own handler prints only with DEBUG on; ours takes its lines in every case.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # Its lines mask account and address; nof0site.login.pages says what matters.
        "axes": {"level": "ERROR"},
    },
}
