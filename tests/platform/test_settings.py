"""The settings as a fresh process reads them."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from nof0site.environment.secret_key import local_secret_key
from tests.platform.processes import Machine

KEY = "k3y-with-more-than-fifty-characters-and-enough-different-ones-in-it"
PRODUCTION = {
    "ALLOWED_HOSTS": "control.example.com",
    "SECRET_KEY": KEY,
    "TRUST_X_FORWARDED_PROTO": "1",
    "DATABASE_URL": "postgresql://user:password@db.example.com/nof0?sslmode=require",
    "REDIS_URL": "rediss://:password@cache.example.com:6379/0",
}
SHOW = """
import json, django; django.setup()
from django.conf import settings
print(json.dumps({name: str(getattr(settings, name)) for name in %r}))
"""


def shown(machine: Machine, *names: str) -> dict[str, str]:
    values: dict[str, str] = json.loads(machine.python(SHOW % (names,)))
    return values


def test_a_fresh_machine_is_safe_and_serves_plain_http_on_loopback(new_machine: Machine) -> None:
    values = shown(new_machine, "DEBUG", "ALLOWED_HOSTS", "HTTPS", "SESSION_COOKIE_SECURE", "SECURE_SSL_REDIRECT")
    assert values == {
        "DEBUG": "False",
        "ALLOWED_HOSTS": "['localhost', '127.0.0.1', '[::1]']",
        "HTTPS": "False",
        "SESSION_COOKIE_SECURE": "False",
        "SECURE_SSL_REDIRECT": "False",
    }


def test_production_settings_pass_the_deployment_check_without_a_word(new_machine: Machine) -> None:
    new_machine.settings = PRODUCTION
    checked = new_machine.manage("check", "--deploy", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout == "System check identified no issues (0 silenced).\n"


def test_a_host_that_others_reach_turns_https_on(new_machine: Machine) -> None:
    new_machine.settings = PRODUCTION
    values = shown(new_machine, "HTTPS", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS")
    assert values == {
        "HTTPS": "True",
        "SESSION_COOKIE_SECURE": "True",
        "CSRF_COOKIE_SECURE": "True",
        "SECURE_HSTS_SECONDS": "31536000",
    }


def test_plain_http_for_other_machines_is_possible_but_warned_of(new_machine: Machine) -> None:
    new_machine.settings = PRODUCTION | {"HTTPS": "off"}
    checked = new_machine.manage("check")
    assert checked.returncode == 0
    assert "(nof0site.W001) HTTPS is off, and ALLOWED_HOSTS=control.example.com admits other machines" in checked.stdout


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ALLOWED_HOSTS": "control.example.com"}, "Error: ALLOWED_HOSTS=control.example.com opens the site"),
        ({"ALLOWED_HOSTS": "*", "SECRET_KEY": KEY}, "Error: ALLOWED_HOSTS=* answers to any host name"),
        (PRODUCTION | {"DEBUG": "1"}, "Error: DEBUG=1 shows settings and code to every visitor"),
        ({"DEBUG": "maybe"}, "Error: DEBUG='maybe' is not a switch. Use 1, true, yes, on or 0, false, no, off."),
        ({"DATABASE_URL": "mysql://host/db"}, "Error: DATABASE_URL must name a PostgreSQL database."),
        ({"REDIS_URL": "http://host"}, "Error: REDIS_URL should look like redis://host:6379/0"),
    ],
)
def test_a_setting_that_cannot_be_meant_stops_with_one_line(
    new_machine: Machine, settings: dict[str, str], message: str
) -> None:
    new_machine.settings = settings
    checked = new_machine.manage("check")
    assert checked.returncode == 1
    assert checked.stdout.startswith(message)
    assert checked.stdout.count("\n") == 1


def test_a_public_site_starts_without_tokens_of_the_read_api(new_machine: Machine) -> None:
    new_machine.settings = PRODUCTION
    values = shown(new_machine, "API_ACCESS", "API_TOKENS", "API_ACCESS_NOTE")
    assert "'conversations'>: 'token'" in values["API_ACCESS"]
    assert "'metrics': 'token'" in values["API_ACCESS"]
    assert values["API_TOKENS"] == "[]"
    assert "API_TOKENS holds none, so they cannot be read" in values["API_ACCESS_NOTE"]


def test_processes_that_start_together_agree_on_one_private_key(new_machine: Machine) -> None:
    with ThreadPoolExecutor(12) as pool:
        keys = set(pool.map(lambda _: local_secret_key(new_machine.data_dir), range(48)))
    assert len(keys) == 1
    file = new_machine.data_dir / "secret_key"
    assert keys == {file.read_text(encoding="utf-8")}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in new_machine.data_dir.iterdir()] == ["secret_key"]
