"""Who history says it was: a reserved name is refused at every door, and a name that passed on is told apart."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import save_edit
from tests.traders.admin.browsing import hidden_fields, text_of
from traders.models import ManagerConfigVersion, TraderConfigVersion
from traders.schema.actors import AccountActor, is_reserved, problem_with
from traders.schema.settings.fleet import FLEET_ID

RESERVED = (
    "sample",
    "Sample",
    "SYSTEM",
    "ｓａｍｐｌｅ",
    "ſample",
    "ſyſtem",
    "token:engine-1",
    "CLI:root",
    "ｃｌｉ：root",
)
PLAIN = ("sampler", "samples", "systems", "client", "tokens", "mei", "sample.lead")
USERS = "/admin/auth/user/"
PASSWORD = "a long enough one"
HISTORY = "/admin/traders/traderconfig/steady_long/history/"
LOG = "/admin/traders/traderconfig/changes/"


@pytest.mark.parametrize("name", RESERVED)
def test_a_reserved_name_is_known_in_every_spelling(name: str) -> None:
    assert is_reserved(name)
    assert is_reserved(f" {name} ")
    assert problem_with(name)


@pytest.mark.parametrize("name", PLAIN)
def test_other_names_are_free(name: str) -> None:
    assert not problem_with(name)


@given(st.sampled_from(["sample", "system", "token:x", "cli:x"]), st.data())
def test_no_mix_of_letter_case_and_width_gets_by(name: str, data: st.DataObject) -> None:
    spelt = "".join(
        data.draw(
            st.sampled_from([letter, letter.upper(), chr(ord(letter) + 0xFEE0), chr(ord(letter.upper()) + 0xFEE0)])
        )
        for letter in name
    )
    assert is_reserved(spelt)


@pytest.mark.django_db
@pytest.mark.parametrize("name", RESERVED)
def test_no_account_is_made_with_a_reserved_name(name: str, login: Any) -> None:
    page = login("superuser").post(
        f"{USERS}add/", {"username": name, "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    )
    assert page.status_code == 200
    with pytest.raises(ValidationError):
        User(username=name, password="x").full_clean()
    with pytest.raises(CommandError):
        call_command("createsuperuser", interactive=False, username=name, email="a@b.example")
    with pytest.raises(IntegrityError, match="reserved"), transaction.atomic():
        User.objects.create_user(name)

    assert not User.objects.exclude(username="superuser").exists()


@pytest.mark.django_db
def test_the_form_says_what_name_would_do(login: Any) -> None:
    said = text_of(
        login("superuser").post(
            f"{USERS}add/",
            {"username": "Sample", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD},
        )
    )
    assert "“Sample” is reserved" in said


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["system", "ｓａｍｐｌｅ"])
def test_no_account_is_renamed_to_a_reserved_name(name: str, login: Any) -> None:
    mei = User.objects.create_user("mei")
    page = login("superuser").post(f"{USERS}{mei.pk}/change/", {"username": name, "is_active": "on"})
    assert page.status_code == 200
    with pytest.raises(IntegrityError, match="reserved"), transaction.atomic():
        User.objects.filter(pk=mei.pk).update(username=name)

    mei.refresh_from_db()
    assert mei.username == "mei"


@pytest.mark.django_db
@pytest.mark.parametrize("name", [*RESERVED, " ", "me\ni", "me\u200bi", "m" * 151])
@pytest.mark.parametrize("command", ["sync_traders", "import_arena"])
def test_no_command_takes_such_an_actor(name: str, command: str, tmp_path: Any) -> None:
    file = ["etc/manager.yaml"] if command == "sync_traders" else [str(tmp_path)]
    with pytest.raises(CommandError, match="--actor"):
        call_command(command, *file, "--actor", name, stdout=StringIO())
    assert not TraderConfigVersion.objects.exists()


@pytest.mark.django_db
def test_an_unchanged_file_lets_no_reserved_actor_by() -> None:
    call_command("sync_traders", "etc/manager.yaml", "--actor", "mei", stdout=StringIO())
    with pytest.raises(CommandError, match="--actor 'sample'"):
        call_command("sync_traders", "etc/manager.yaml", actor="sample", stdout=StringIO())


@pytest.mark.django_db
@pytest.mark.usefixtures("fleet")
def test_a_page_keeps_the_id_of_the_account_and_a_command_none(editor: Client) -> None:
    account = User.objects.get(username="editor")
    save_edit("steady_long", actor=AccountActor("editor", account.pk), detail__risk__max_positions=7)
    save_edit(FLEET_ID, actor=AccountActor("editor", account.pk), detail__manager__allocation_strategy="equal")
    restore = "/admin/traders/traderconfig/steady_long/versions/1/restore/"
    editor.post(restore, hidden_fields(editor.get(restore)) | {"reason": "unchanged"})

    made = TraderConfigVersion.objects.filter(id="steady_long").order_by("version").values_list("account_id", flat=True)
    assert list(made) == [None, account.pk, account.pk]
    assert ManagerConfigVersion.objects.latest("version").account_id == account.pk


@pytest.fixture
def edited(fleet: None) -> User:
    """An account called mei that edited a trader."""
    mei = User.objects.create_user("mei")
    save_edit("steady_long", actor=AccountActor("mei", mei.pk), reason="by mei", detail__risk__max_positions=7)
    return mei


@pytest.mark.django_db
@pytest.mark.parametrize("address", [HISTORY, LOG, "/admin/traders/traderconfig/steady_long/versions/2/"])
def test_a_name_leads_to_its_account_for_those_who_may_see_it(edited: User, address: str, login: Any) -> None:
    link = f'<b><a href="{USERS}{edited.pk}/change/">mei</a></b>'
    assert link in login("superuser").get(address).content.decode()
    seen = login("viewer").get(address).content.decode()
    assert link not in seen
    assert "<b>mei</b>" in seen


@pytest.mark.django_db
@pytest.mark.parametrize("address", [HISTORY, LOG])
def test_a_renamed_account_keeps_its_history_under_the_old_name(edited: User, address: str, login: Any) -> None:
    edited.username = "mei.lin"
    edited.save()
    seen = login("superuser").get(address).content.decode()
    assert f'<b><a href="{USERS}{edited.pk}/change/">mei</a></b> <span class="faint">(now mei.lin)</span>' in seen


@pytest.mark.django_db
@pytest.mark.parametrize("address", [HISTORY, LOG])
def test_a_new_account_with_an_old_name_is_not_taken_for_the_old_one(edited: User, address: str, login: Any) -> None:
    edited.delete()
    assert "(account deleted)" in login("superuser").get(address).content.decode()
    new = User.objects.create_user("mei")

    seen = login("superuser").get(address).content.decode()
    assert '<b>mei</b> <span class="faint">(an earlier account of this name)</span>' in seen
    assert f"{USERS}{new.pk}/" not in seen


@pytest.mark.django_db
def test_a_text_that_is_no_account_leads_nowhere(edited: User, login: Any) -> None:
    save_edit("steady_long", actor="mei", reason="said so", detail__risk__max_positions=8)
    seen = login("superuser").get(HISTORY).content.decode()
    assert seen.count(f"{USERS}{edited.pk}/change/") == 1


@pytest.mark.django_db
def test_the_log_as_csv_tells_accounts_apart_by_their_ids(edited: User, login: Any) -> None:
    sheet = b"".join(login("viewer").get(f"{LOG}csv/").streaming_content).decode()
    newest = next(csv.DictReader(StringIO(sheet)))
    assert (newest["changed_by"], newest["account_id"]) == ("mei", str(edited.pk))
