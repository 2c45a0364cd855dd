"""An uploaded file waits in Redis, where other programs may write, and which may be away."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django.fixtures import Settings

from tests.factories import make_trader, sync_traders
from tests.traders.admin.browsing import text_of
from tests.traders.conftest import Login
from tests.traders.sync.test_upload import MORE, URL, apply, bundle, plan, positions
from tests.trading.live.servers import OwnServer, own_server
from traders.sync.upload import store as upload_store
from traders.sync.upload.services import Upload

GONE = "not kept any more: choose it again"
AWAY = "does not answer or accepts no writes"


@pytest.fixture(autouse=True)
def _two_traders(db: None, settings: Settings, tmp_path: Path) -> None:
    settings.MANAGER_YAML = tmp_path / "manager.yaml"
    sync_traders(make_trader("a", allocation_pct=Decimal(40)), make_trader("b", allocation_pct=Decimal(30)))


@pytest.fixture
def server() -> Iterator[OwnServer]:
    with own_server() as server:
        yield server


class Touch:
    """Its pickle makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def stored() -> Any:
    return get_redis_connection("default")


def kept_key() -> Any:
    (key,) = stored().keys("*upload:*")
    return key


def test_a_value_that_another_program_wrote_runs_no_code(editor: Client, tmp_path: Path) -> None:
    page = plan(editor, bundle(editor, change=MORE))
    stored().set(kept_key(), pickle.dumps(Touch(tmp_path / "ran")))

    assert GONE in text_of(apply(editor, page))
    assert not (tmp_path / "ran").exists()
    assert positions() == [(1, 3), (1, 3)]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff\xfe\x00",
        b"5",
        b"9" * 5000,
        b"null",
        b"NaN",
        b'{"name": "manager.yaml", "content": ""}',
        b'["manager.yaml", ""]',
        b'"manager.yaml"',
        b'"a:b:c"',
        b'"::"',
        b'"\\ud800:1:2"',
        b'"\xc3\xa9:\xc3\xa9:\xc3\xa9"',
        b"[" * 100_000,
        b'"' + b"x" * 1_000_000 + b'"',
    ],
)
def test_a_damaged_value_counts_as_missing(editor: Client, value: bytes) -> None:
    page = plan(editor, bundle(editor, change=MORE))
    stored().set(kept_key(), value)

    answer = apply(editor, page)
    assert (answer.status_code, GONE in text_of(answer)) == (200, True)
    assert positions() == [(1, 3), (1, 3)]


def test_every_changed_character_is_noticed(editor: Client) -> None:
    page = plan(editor, bundle(editor, change=MORE))
    redis, key = stored(), kept_key()
    value = redis.get(key)
    for at in (1, len(value) // 2, len(value) - 2):
        redis.set(key, value[:at] + (b"A" if value[at : at + 1] != b"A" else b"B") + value[at + 1 :])
        assert GONE in text_of(apply(editor, page))
    redis.set(key, value)
    assert "is synced" in text_of(apply(editor, page))


def test_a_value_of_another_type_is_told_and_writes_nothing(editor: Client) -> None:
    page = plan(editor, bundle(editor, change=MORE))
    redis, key = stored(), kept_key()
    redis.delete(key)
    redis.hset(key, "a", "b")

    answer = apply(editor, page)
    assert (answer.status_code, AWAY in text_of(answer)) == (503, True)
    assert positions() == [(1, 3), (1, 3)]


def test_a_file_copied_under_another_accounts_key_is_refused(login: Login, editor: Client) -> None:
    plan(login("superuser"), bundle(editor, change=MORE))
    redis, theirs = stored(), kept_key()
    value = redis.getdel(theirs)
    page = plan(editor, bundle(editor))
    redis.set(kept_key(), value)

    assert GONE in text_of(apply(editor, page))
    assert positions() == [(1, 3), (1, 3)]


def test_a_file_copied_from_an_earlier_upload_is_refused(editor: Client) -> None:
    plan(editor, bundle(editor, change=MORE))
    redis, earlier = stored(), kept_key()
    value = redis.getdel(earlier)
    page = plan(editor, bundle(editor))
    redis.set(kept_key(), value)

    assert GONE in text_of(apply(editor, page))


def test_a_file_older_than_an_hour_is_refused_although_it_is_still_there(
    editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = plan(editor, bundle(editor, change=MORE))
    stored().persist(kept_key())
    later = (timezone.now() + timedelta(seconds=upload_store.KEPT_SECONDS + 1)).timestamp()
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)

    assert GONE in text_of(apply(editor, page))


def test_a_new_secret_key_asks_for_the_file_again_and_a_fallback_does_not(editor: Client, settings: Settings) -> None:
    page = plan(editor, bundle(editor, change=MORE))
    token = str(page.context["token"])
    config_page, earlier = page.context["config_page"], settings.SECRET_KEY
    settings.SECRET_KEY = "another-secret-key"
    assert upload_store.kept(config_page, token) is None
    settings.SECRET_KEY_FALLBACKS = [earlier]
    assert upload_store.kept(config_page, token) is not None


def test_names_and_contents_come_back_as_they_were(editor: Client) -> None:
    config_page = editor.get(URL).context["config_page"]
    for upload in (
        Upload("ünïcode 名.yaml", bytes(range(256))),
        Upload("empty", b""),
        Upload("large.zip", os.urandom(300_000)),
    ):
        assert upload_store.kept(config_page, upload_store.keep(config_page, upload)) == upload


def test_an_upload_while_redis_is_away_is_told_and_writes_nothing(server: OwnServer, editor: Client) -> None:
    file = bundle(editor, change=MORE)
    page = plan(editor, bundle(editor, change=MORE))
    server.kill()

    for answer in (plan(editor, file), apply(editor, page)):
        assert answer.status_code == 503
        assert AWAY in text_of(answer)
        assert "Nothing was written." in text_of(answer)
    assert positions() == [(1, 3), (1, 3)]


def test_an_upload_while_redis_is_full_is_told_and_writes_nothing(server: OwnServer, editor: Client) -> None:
    file = bundle(editor, change=MORE)
    server.client.config_set("maxmemory", "1")

    answer = plan(editor, file)
    assert (answer.status_code, AWAY in text_of(answer)) == (503, True)
    assert cache.get("anything") is None
    assert positions() == [(1, 3), (1, 3)]


def test_a_planned_file_is_synced_although_redis_became_read_only(server: OwnServer, editor: Client) -> None:
    page = plan(editor, bundle(editor, change=MORE))
    server.client.config_set("min-replicas-to-write", "1")

    answer = plan(editor, bundle(editor, change=MORE))
    assert (answer.status_code, AWAY in text_of(answer)) == (503, True)
    assert "is synced: 2 new versions." in text_of(apply(editor, page))
    assert positions() == [(2, 5), (2, 5)]
