"""The audit of access: every change of who may do what, by whom and from where; kept, and removed only when due."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from nof0site.serving.prepare import create_first_account
from tests.traders.admin.people import account, browser_of
from tests.traders.database import direct
from traders.accounts.rules import Role
from traders.audit import writer as audit
from traders.audit.rules import AuditKind
from traders.models import AuditEntry
from traders.tokens import services as tokens

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough one"
PAGE = "/admin/traders/auditentry/"


def entries(*kinds: AuditKind) -> list[tuple[str, str, str, str]]:
    """(kind, actor, subject, text) in order, of these kinds, else of all."""
    rows = AuditEntry.objects.order_by("pk")
    return list((rows.filter(kind__in=kinds) if kinds else rows).values_list("kind", "actor", "subject", "text"))


def log_in(name: str, password: str, **sent: Any) -> Client:
    browser = Client()
    browser.post("/admin/login/?next=/admin/", {"username": name, "password": password}, **sent)
    return browser


def refuse_entries() -> None:
    direct.execute("ALTER TABLE audit_entries ADD CONSTRAINT full_up CHECK (false) NOT VALID")


@pytest.fixture
def ada() -> User:
    return account(Role.VIEWER, password=PASSWORD)


def test_a_login_a_wrong_password_a_lock_and_a_logout_are_noted_with_account_and_address(ada: User) -> None:
    log_in("viewer", PASSWORD, REMOTE_ADDR="192.0.2.7").post("/admin/logout/", REMOTE_ADDR="192.0.2.7")
    for _attempt in range(5):
        log_in("viewer", "wrong", REMOTE_ADDR="192.0.2.8")
    rows = AuditEntry.objects.order_by("pk").values_list("kind", "actor", "account_id", "address")
    assert list(rows) == [
        ("login", "viewer", ada.pk, "192.0.2.7"),
        ("logout", "viewer", ada.pk, "192.0.2.7"),
        *[("login_failed", "viewer", None, "192.0.2.8")] * 5,
        ("locked_out", "viewer", None, "192.0.2.8"),
    ]
    assert AuditEntry.objects.get(kind="locked_out").text.endswith("this account from this address")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("hunter2-the-whole-password", "hu… (no such account)"),
        ("short", "… (no such account)"),
        ("Viewer-", "Vi… (no such account)"),
        ("\x07\x07\x07bells", "… (no such account)"),
        ("", "… (no such account)"),
    ],
)
def test_a_typed_name_that_no_account_has_may_be_a_password_and_is_cut(
    ada: User, typed: str, kept: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client()
    assert not client.login(request=None, username=typed, password="wrong")
    log_in(typed, "wrong")
    if typed:
        assert {actor for _kind, actor, _subject, _text in entries()} == {kept}
        assert typed not in caplog.text


def test_a_login_that_cannot_be_noted_is_refused(ada: User) -> None:
    refuse_entries()
    browser = Client(raise_request_exception=False)
    answer = browser.post("/admin/login/?next=/admin/", {"username": "viewer", "password": PASSWORD})
    assert answer.status_code >= 400
    assert browser.get("/admin/").status_code == 302


def test_a_new_account_its_roles_and_its_end_are_noted_with_what_changed() -> None:
    browser = browser_of(Role.ADMIN)
    new = {"username": "mei", "role": "Viewer", "usable_password": "true"}
    browser.post("/admin/auth/user/add/", new | {"password1": PASSWORD, "password2": PASSWORD})
    mei = User.objects.get(username="mei")
    form = {"username": "mei", "role": "Operator", "is_active": "on", "is_staff": "on", "groups": []}
    assert browser.post(f"/admin/auth/user/{mei.pk}/change/", form).status_code == 302
    browser.post(f"/admin/auth/user/{mei.pk}/password/", {"password1": PASSWORD + "!", "password2": PASSWORD + "!"})
    browser.post("/admin/auth/user/", {"action": "let_in_again", "_selected_action": [mei.pk]})
    browser.post(f"/admin/auth/user/{mei.pk}/delete/", {"post": "yes"})
    made = [entry for entry in entries() if entry[0] not in ("login", "logout")]
    assert made == [
        ("account_made", "admin", "mei", "role: Viewer"),
        ("role_changed", "admin", "mei", "Viewer → Operator"),
        ("account_changed", "admin", "mei", "is_staff: False → True"),
        ("password_set", "admin", "mei", ""),
        ("unlocked", "admin", "mei", ""),
        ("account_deleted", "admin", "mei", ""),
    ]


def test_a_change_that_cannot_be_noted_is_not_made() -> None:
    browser = browser_of(Role.ADMIN)
    browser.raise_request_exception = False
    lee = account(Role.VIEWER)

    refuse_entries()
    form = {"username": "viewer", "role": "Admin", "is_active": "on"}
    assert browser.post(f"/admin/auth/user/{lee.pk}/change/", form).status_code >= 400
    old = lee.password
    sent = {"password1": PASSWORD, "password2": PASSWORD}
    assert browser.post(f"/admin/auth/user/{lee.pk}/password/", sent).status_code >= 400
    delete = {"action": "delete_selected", "_selected_action": [lee.pk], "post": "yes"}
    assert browser.post("/admin/auth/user/", delete).status_code >= 400
    lee.refresh_from_db()
    assert (list(lee.groups.values_list("name", flat=True)), lee.password) == (["Viewer"], old)
    with pytest.raises(DatabaseError), transaction.atomic():
        tokens.create(name="engine-1", scopes=["read-config"], actor="mei")
    assert tokens.existing() == []


def test_groups_and_many_accounts_at_once_are_noted() -> None:
    browser = browser_of(Role.ADMIN)
    browser.post("/admin/auth/group/add/", {"name": "Auditors"})
    group = Group.objects.get(name="Auditors")
    browser.post(f"/admin/auth/group/{group.pk}/change/", {"name": "Readers"})
    browser.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})
    lee, tom = User.objects.create_user("lee"), User.objects.create_user("tom")
    chosen = {"action": "delete_selected", "_selected_action": [lee.pk, tom.pk], "post": "yes"}
    browser.post("/admin/auth/user/", chosen)
    assert [(subject, text) for _k, _a, subject, text in entries(AuditKind.GROUP_CHANGED)] == [
        ("Auditors", "made"),
        ("Readers", "changed: name"),
        ("Readers", "deleted"),
    ]
    assert {subject for _k, _a, subject, _t in entries(AuditKind.ACCOUNT_DELETED)} == {"lee", "tom"}


def test_own_new_passwords_and_the_commands_are_noted(ada: User) -> None:
    browser = log_in("viewer", PASSWORD)
    new = {"old_password": PASSWORD, "new_password1": PASSWORD + "!", "new_password2": PASSWORD + "!"}
    browser.post("/admin/password_change/", {**new, "old_password": "wrong"})
    browser.post("/admin/password_change/", new)
    call_command("reset_password", "viewer")
    create_first_account()
    kinds = (AuditKind.LOGIN_FAILED, AuditKind.PASSWORD_SET, AuditKind.ACCOUNT_MADE)
    wrong, own, command, first = entries(*kinds)
    assert wrong == ("login_failed", "viewer", "", "at Change password")
    assert own == ("password_set", "viewer", "", "")
    assert (command[0], command[2]) == ("password_set", "viewer")
    assert command[1].startswith("cli:")
    assert first[2:] == ("admin", "the first account, a superuser")


def test_a_token_made_first_used_and_revoked_is_noted_once_each() -> None:
    token, text = tokens.create(name="engine-1", scopes=["read-config", "stop"], actor="mei")
    for _request in range(3):
        answer = Client().get("/api/v1/token", headers={"authorization": f"Bearer {text}"}, REMOTE_ADDR="198.51.100.4")
        assert answer.status_code == 200
    for _twice in range(2):
        tokens.revoke(token_id=token.id, actor="mei")
    assert entries() == [
        ("token_made", "mei", "token:engine-1", "read-config, stop"),
        ("token_used", "token:engine-1", "", ""),
        ("token_revoked", "mei", "token:engine-1", ""),
    ]
    assert AuditEntry.objects.get(kind="token_used").address == "198.51.100.4"


def test_a_step_of_the_live_store_is_noted_by_page_and_command(fleet: None) -> None:
    browser = browser_of(Role.ADMIN)
    browser.post("/admin/trading/position/live/switch/", {"step": "rebuild", "seen": "0"})
    call_command("livestore", "rebuild")
    call_command("livestore", "status")
    page, command = entries(AuditKind.LIVE_STORE)
    assert page[1] == "admin"
    assert page[3].startswith("rebuild in mode")
    assert command[1].startswith("cli:")
    assert command[3] == "rebuild"


def test_the_database_keeps_an_entry_until_its_time_is_over() -> None:
    audit.note(AuditKind.UNLOCKED, actor="mei", subject="ada")
    direct.execute("SET LOCAL nof0.test_flush = off")
    for statement in (
        "UPDATE audit_entries SET actor = 'lee'",
        "UPDATE audit_entries SET keep_until = now()",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
    ):
        with pytest.raises(IntegrityError, match="refused"), transaction.atomic():
            direct.execute(statement)
    with pytest.raises(IntegrityError, match="kept_a_month"), transaction.atomic():
        AuditEntry.objects.create(kind="login", actor="lee", keep_until=timezone.now())


def test_a_login_removes_entries_whose_time_is_over_and_no_other(ada: User) -> None:
    long_ago = timezone.now() - timedelta(days=800)
    for number in range(3):
        AuditEntry.objects.create(
            kind="login", actor="lee", at=long_ago, keep_until=long_ago + timedelta(days=730 if number < 2 else 900)
        )
    log_in("viewer", PASSWORD)
    assert [actor for _kind, actor, _subject, _text in entries()] == ["lee", "viewer"]


def test_the_page_filters_and_its_csv_has_the_same_rows_without_formulas() -> None:
    browser = browser_of(Role.ADMIN)
    audit.note(AuditKind.ACCOUNT_CHANGED, actor="mei", subject="=HYPERLINK(1)", text="+1")
    audit.note(AuditKind.UNLOCKED, actor="lee", subject="mei")
    shown = browser.get(PAGE, {"who": "mei"}).content.decode()
    assert "=HYPERLINK(1)" in shown
    assert "unlocked" in shown
    assert "Vi…" not in shown
    lines = b"".join(browser.get(f"{PAGE}csv/", {"who": "mei"}).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    first, *rows = csv.reader(StringIO(lines))
    assert first[:5] == ["id", "at", "kind", "account", "account_id"]
    assert [(row[2], row[3], row[6], row[7]) for row in rows] == [
        ("unlocked", "lee", "mei", ""),
        ("account_changed", "mei", "'=HYPERLINK(1)", "'+1"),
    ]
    assert "No entry matches" in browser.get(PAGE, {"kind": "locked_out"}).content.decode()
    assert browser.get(PAGE, {"since": "no moment"}).status_code == 200
    assert browser.get(f"{PAGE}csv/", {"since": "no moment"}).status_code == 302


def test_a_long_audit_pages_by_key_with_the_same_number_of_queries() -> None:
    browser = browser_of(Role.ADMIN)
    for number in range(120):
        audit.note(AuditKind.UNLOCKED, actor="mei", subject=f"account {number}")
    page = browser.get(PAGE)
    assert "account 119" in page.content.decode()
    older = browser.get(PAGE + page.context["cl"].older_url)
    assert "account 50" in older.content.decode()
    assert "account 119" not in older.content.decode()


def test_wrong_names_are_counted_as_before(ada: User) -> None:
    for _attempt in range(5):
        log_in("no-such-account", "wrong")
    assert AccessAttempt.objects.get().failures_since_start == 5


def test_an_entry_says_when_it_was_made_and_how_long_it_is_kept(ada: User) -> None:
    log_in("viewer", PASSWORD)
    page = browser_of(Role.ADMIN).get(f"{PAGE}{AuditEntry.objects.latest('pk').pk}/change/").text
    crumbs = page.partition('<nav class="crumbs"')[2].partition("</nav>")[0]
    assert re.search(r"<b>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC</b>", crumbs)
    assert re.search(r", in \d+ d", page.partition("Kept until")[2])
    assert "ahead of this server" not in page
