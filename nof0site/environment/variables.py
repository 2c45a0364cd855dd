"""Typed readers of environment variables. A wrong value stops the process with a message that says what is right.

An empty variable counts as unset, so that `DATABASE_URL= make run` overrides a line of the `.env` file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


def env_str(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, default: bool) -> bool:
    word = env_str(name).lower()
    if not word:
        return default
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name}={word!r} is not a switch. Use 1, true, yes, on or 0, false, no, off.")


def env_int(name: str, default: int, *, minimum: int = 0) -> int:
    text = env_str(name)
    if not text:
        return default
    try:
        number = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={text!r} is not a whole number, such as {default}.") from None
    if number < minimum:
        raise ImproperlyConfigured(f"{name}={number} is too small. Use {minimum} or more.")
    return number


def env_zone(name: str, default: str) -> ZoneInfo:
    """A time zone by its IANA name."""
    text = env_str(name, default)
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError):
        raise ImproperlyConfigured(f"{name}={text!r} is no time zone. Use a name such as Asia/Shanghai.") from None


def env_list(name: str, default: list[str]) -> list[str]:
    """The comma-separated items of the variable, without blanks around them."""
    items = [item.strip() for item in env_str(name).split(",")]
    return [item for item in items if item] or default


def env_secret(name: str) -> str:
    """The secret in `name`, or in the file that `name`_FILE points at (as container platforms mount them)."""
    value, file_name = env_str(name), env_str(f"{name}_FILE")
    if value and file_name:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set. Keep one of them.")
    if not file_name:
        return value
    return _read_secret(name, Path(file_name))


def env_secrets(pattern: str) -> dict[str, str]:
    """{name: secret} of every variable whose whole name matches, read as `env_secret` does."""
    names = {name.removesuffix("_FILE") for name in os.environ if re.fullmatch(pattern, name.removesuffix("_FILE"))}
    found = {name: env_secret(name) for name in sorted(names)}
    return {name: secret for name, secret in found.items() if secret}


def _read_secret(name: str, path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(
            f"{name}_FILE={path} cannot be read ({error}). Point it at a readable text file."
        ) from error
    if not secret:
        raise ImproperlyConfigured(f"{name}_FILE={path} is empty. Write the secret into it.")
    return secret
