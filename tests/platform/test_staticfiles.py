"""Pages are styled with DEBUG off, collected or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings as SettingsWrapper

from nof0site.serving.staticfiles import CollectedOrSourceStorage, source_fingerprint
from tests.platform.processes import Machine

pytestmark = pytest.mark.slow

NAME = "nof0site/favicon.svg"


@pytest.fixture
def storage(settings: SettingsWrapper, tmp_path: Path) -> CollectedOrSourceStorage:
    settings.STATIC_ROOT = str(tmp_path / "static")
    return CollectedOrSourceStorage()


@pytest.mark.django_db
def test_files_that_were_never_collected_are_served_from_the_apps(client: Client) -> None:
    url = staticfiles_storage.url(NAME)
    assert url == f"/static/{NAME}"
    response = client.get(url)
    assert response.status_code == 200
    assert response["Content-Type"] == "image/svg+xml"
    response.close()


def test_collected_files_carry_a_hash_and_are_compressed(storage: CollectedOrSourceStorage) -> None:
    collect(storage)
    url = storage.url(NAME)
    assert url != f"/static/{NAME}"
    collected = Path(storage.location) / url.removeprefix("/static/")
    assert collected.exists()
    assert Path(f"{collected}.gz").exists()


def test_files_are_compressed_once_whatever_is_installed(storage: CollectedOrSourceStorage) -> None:
    pytest.importorskip("brotli")
    collect(storage)
    collected = [path.name for path in Path(storage.location).rglob("*") if path.is_file()]
    assert [name for name in collected if name.endswith(".br")] == []
    assert Path(NAME).name not in collected


def test_a_collection_of_other_files_than_the_apps_have_is_left_aside(storage: CollectedOrSourceStorage) -> None:
    collect(storage)
    Path(storage.path("fingerprint")).write_text("of an earlier release", encoding="ascii")
    assert CollectedOrSourceStorage().url(NAME) == f"/static/{NAME}"


def test_a_name_nobody_has_makes_no_page_fail(storage: CollectedOrSourceStorage) -> None:
    collect(storage)
    assert storage.url("nobody/has.css") == "/static/nobody/has.css"


def test_the_fingerprint_is_that_of_the_sources(storage: CollectedOrSourceStorage) -> None:
    collect(storage)
    assert Path(storage.path("fingerprint")).read_text(encoding="ascii") == source_fingerprint()


def test_collectstatic_makes_every_reference_between_files_resolve(new_machine: Machine) -> None:
    done = new_machine.manage("collectstatic", "--no-input", "--verbosity", "0")
    assert (done.returncode, done.stdout) == (0, "")
    manifest = json.loads((new_machine.data_dir / "static" / "staticfiles.json").read_text(encoding="utf-8"))
    assert NAME in manifest["paths"]


def collect(storage: CollectedOrSourceStorage) -> None:
    """collectstatic, into the storage of the test instead of the site's."""
    from django.contrib.staticfiles.management.commands.collectstatic import Command

    command = Command()
    command.storage = storage
    call_command(command, interactive=False, verbosity=0)
