from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.factories import make_trader, sync_traders
from traders.models import ApiToken
from traders.schema.tokens import Scope
from traders.tokens import services as tokens

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[3]


def run(*arguments: str) -> tuple[str, str]:
    """(stdout, stderr)"""
    out, err = StringIO(), StringIO()
    call_command("api_tokens", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def refused(*arguments: str) -> str:
    with pytest.raises(CommandError) as error:
        run(*arguments)
    return str(error.value)


def test_the_token_is_alone_on_stdout_and_works() -> None:
    out, err = run("create", "engine-1", "--scope", "read-config", "-s", "write-state")

    assert re.fullmatch(r"nof0_[A-Za-z0-9_-]{43}\n", out)
    token = tokens.authenticate(out.strip())
    assert token is not None
    assert token.name == "engine-1"
    assert token.scopes == {Scope.READ_CONFIG, Scope.WRITE_STATE}
    assert err == "token:engine-1 may read-config, write-state, until it is revoked. It is not shown again:\n"
    row = ApiToken.objects.get()
    assert row.created_by.startswith("cli:")
    assert row.expires_at is None


@pytest.mark.parametrize(("text", "lasts"), [("90d", timedelta(days=90)), ("12h", timedelta(hours=12))])
def test_a_token_expires_when_it_was_told_to(text: str, lasts: timedelta) -> None:
    _, err = run("create", "engine-1", "--scope", "read-config", "--expires-in", text)

    expires_at = ApiToken.objects.get().expires_at
    assert expires_at is not None
    assert abs(expires_at - timezone.now() - lasts) < timedelta(minutes=1)
    assert f"until {expires_at:%Y-%m-%dT%H:%MZ}" in err


@pytest.mark.parametrize("text", ["90", "d", "0d", "-1d", "1w", "90 d", "999999d", ""])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    assert "write it like 90d or 12h" in refused("create", "engine-1", "--scope", "read-config", f"--expires-in={text}")
    assert not ApiToken.objects.exists()


def test_bad_input_is_said_in_one_sentence_each() -> None:
    run("create", "engine-1", "--scope", "read-config")

    known = (
        "scopes must be one or more of read-config, write-config, write-fleet, write-journal, write-state,"
        " write-corrections, control, stop"
    )
    assert refused("create", "engine-2") == known
    assert refused("create", "engine-2", "--scope", "admin") == f"{known}, was 'admin'"
    assert refused("create", "two words", "--scope", "read-config").startswith("name must be 1 to 64 letters")
    assert "name is taken" in refused("create", "Engine-1", "--scope", "read-config")
    assert refused("revoke", "nobody") == "there is no token 'nobody'"
    assert ApiToken.objects.count() == 1


def test_a_revoked_token_stops_and_revoking_it_again_says_by_whom() -> None:
    text = run("create", "Engine-1", "--scope", "read-config")[0].strip()

    assert run("revoke", "engine-1") == ("", "Revoked 'Engine-1': it is refused from now on.\n")
    assert tokens.authenticate(text) is None
    assert "'Engine-1' is revoked already, by cli:" in run("revoke", "engine-1")[1]


def test_of_two_tokens_of_one_name_the_one_that_works_is_revoked() -> None:
    tokens.create(name="engine-1", scopes=["read-config"], actor="mei")
    run("revoke", "engine-1")
    tokens.create(name="engine-1", scopes=["read-config"], actor="mei")

    run("revoke", "engine-1")

    assert not ApiToken.objects.filter(revoked_at=None).exists()


def test_the_list_says_what_became_of_every_token() -> None:
    text = run("create", "old", "--scope", "read-config")[0].strip()
    tokens.authenticate(text)
    run("revoke", "old")
    run("create", "engine-1", "--scope", "write-state", "--scope", "read-config", "--expires-in", "90d")

    head, first, second = run("list")[0].splitlines()

    assert head.split()[:3] == ["name", "state", "scopes"]
    assert first.split()[:3] == ["engine-1", "active", "read-config,write-state"]
    assert second.split()[:4] == ["old", "revoked", "read-config", text[:9]]
    assert text not in second


def test_an_empty_list_says_so() -> None:
    assert run("list") == ("", "No token was ever made.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["create"],
        # Each is a process of its own.
        *(
            pytest.param(order, marks=pytest.mark.slow)
            for order in ([], ["revoke"], ["destroy", "engine-1"], ["list", "--all"])
        ),
    ],
)
def test_an_order_that_is_not_understood_ends_with_1(arguments: list[str], tmp_path: Path) -> None:
    environment: dict[str, Any] = {"NOF0_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "manage.py", "api_tokens", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "error:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_is_limited_to_the_named_traders() -> None:
    sync_traders(make_trader("a"), make_trader("b"))
    _, err = run("create", "engine-1", "--scope", "write-fleet", "--trader", "b", "-t", "a")

    assert err == "token:engine-1 may write-fleet for a, b only, until it is revoked. It is not shown again:\n"
    assert "there is no trader 'ghost'" in refused("create", "engine-2", "--scope", "read-config", "--trader", "ghost")
    run("create", "engine-3", "--scope", "read-config")
    lines = run("list")[0].splitlines()
    assert "traders" in lines[0]
    reaches = re.findall(r"engine-[0-9] +active +[a-z-]+ +nof0_\S+ +(\S+)", "\n".join(lines))
    assert reaches == ["all", "a,b"]
