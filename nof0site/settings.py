"""Settings of the site. Everything that differs between machines comes from the environment (see .env.example)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from dotenv import load_dotenv

from nof0site.access import access_note, api_tokens, document_access
from nof0site.databases import embedded_database, external_database
from nof0site.embedded.paths import default_data_dir
from nof0site.environment.secret_key import local_secret_key
from nof0site.environment.variables import env_bool, env_int, env_list, env_secret, env_str
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
AUTHENTICATION_BACKENDS = ["nof0site.login.pages.ThrottlingBackend", "django.contrib.auth.backends.ModelBackend"]
# Wrong passwords are counted in PostgreSQL, so that all web servers share the count. `nof0site.login.throttle` has the
# limits.
AXES_HANDLER = "nof0site.login.attempts.AttemptHandler"
# What a successful login resets.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = WINDOW
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "nof0site.login.pages.client_address"
AXES_LOCKOUT_CALLABLE = "nof0site.login.pages.locked_out"
# Lists the addresses from which an account logged in recently.
AXES_DISABLE_ACCESS_LOG = False
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
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
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Turns a refused login into the page that says for how long.
    "axes.middleware.AxesMiddleware",
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
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"

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
# Threads of a worker of `serve` for pages, how many requests may wait for one, and how many of the threads may wait for
# changes of configurations at the same time.
WEB_THREADS = env_int("WEB_THREADS", default=4, minimum=1)
WEB_QUEUE = env_int("WEB_QUEUE", default=64)
LONG_POLLS = env_int("LONG_POLLS", default=WEB_THREADS // 2)
# How far ahead of this server's clock a recorded moment may lie; a later one is refused. The database refuses a day.
CLOCK_AHEAD_SECONDS = env_int("CLOCK_AHEAD_SECONDS", default=300, minimum=1)
# Of the engine API, for each token and worker process; 0 lifts the limit.
TOKEN_REQUESTS_PER_SECOND = env_int("TOKEN_REQUESTS_PER_SECOND", default=100)
# How long a client may take for the header, and for a body of any length; a longer one must keep to the rate (bytes per
# second) beyond that.
WEB_HEADER_SECONDS = env_int("WEB_HEADER_SECONDS", default=10, minimum=1)
WEB_BODY_SECONDS = env_int("WEB_BODY_SECONDS", default=20, minimum=1)
WEB_BODY_RATE = env_int("WEB_BODY_RATE", default=32_768, minimum=1)
# Of a form without its files; `serving.body_limits` refuses what is larger before Django sees it.
DATA_UPLOAD_MAX_MEMORY_SIZE = FORM_BYTES

# --- Static files ---------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path((not DEMO and env_str("STATIC_ROOT")) or DATA_DIR / "static").absolute()
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "nof0site.serving.staticfiles.CollectedOrSourceStorage"},
}
# Unhashed names are served from the apps themselves, so that nothing depends on collectstatic having run.
WHITENOISE_USE_FINDERS = True

# --- Language and time ----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
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
