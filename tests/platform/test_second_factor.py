"""A second factor: added with a code, asked for at each login, used once, recovered, removed, and required by role."""

from __future__ import annotations

import base64
import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client
from django_otp.oath import totp

from nof0site.access import second_factor_roles
from tests.traders.admin.people import account, browser_of
from traders.accounts.factors import writer as factors
from traders.accounts.factors.rules import STEP_SECONDS, address_for_apps, as_text, digest_of, new_secret, step_of
from traders.accounts.factors.sealing import unseal
from traders.accounts.rules import Role
from traders.models import AuditEntry, SecondFactor

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough one"
PAGE = "/admin/second-factor/"
SECRET = b"12345678901234567890"


def code_of(secret: bytes, steps: int = 0) -> str:
    """What an app shows now, or so many steps of 30 s later."""
    return f"{totp(secret, step=STEP_SECONDS, t0=-steps * STEP_SECONDS):06d}"


@pytest.fixture
def ada() -> User:
    return account(Role.ADMIN, password=PASSWORD)


@pytest.fixture
def codes(ada: User) -> list[str]:
    """The recovery codes of a factor whose last code is of long ago."""
    return factors.add(ada, SECRET, 0)


def log_in(code: str = "", password: str = PASSWORD, **sent: Any) -> tuple[Client, Any]:
    browser = Client()
    typed = {"username": "admin", "password": password, "otp_token": code}
    return browser, browser.post("/admin/login/?next=/admin/", typed, **sent)


def test_rfc_6238_gives_the_same_codes() -> None:
    for at, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert step_of(SECRET, code, now=at) == at // 30


def test_codes_are_taken_as_a_chinese_keyboard_writes_them() -> None:
    assert step_of(SECRET, "２８７　０８２", now=59) == 1
    assert digest_of("Ｋ３ＪＤ－92ma") == digest_of("k3jd92ma")


def test_the_address_for_apps_names_the_site_and_the_account() -> None:
    address = address_for_apps(SECRET, "ada lee@example.org")
    secret = as_text(SECRET).replace(" ", "")
    assert address == (f"otpauth://totp/NOF0%20Control:ada%20lee%40example.org?secret={secret}&issuer=NOF0%20Control")


def test_a_factor_is_added_by_the_first_code_of_the_app(ada: User) -> None:
    (browser, _answer), (other, _again) = log_in(), log_in()
    shown = browser.get(PAGE).content.decode()
    assert "<svg" in shown
    assert "http://" not in re.sub(r'xmlns="[^"]*"', "", shown.partition("<svg")[2].partition("</svg>")[0])
    text = re.search(r'id="secret"[^>]*>([A-Z2-7 ]+)<', shown)
    assert text
    secret = base64.b32decode(text[1].replace(" ", ""))
    wrong = browser.post(PAGE, {"code": "000000" if code_of(secret) != "000000" else "000001"})
    assert "This is not the code of now" in wrong.content.decode()
    assert not SecondFactor.objects.exists()
    used = code_of(secret)
    added = browser.post(PAGE, {"code": used}).content.decode()
    recovery = re.findall(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b", added)
    assert len(recovery) == 10
    factor = SecondFactor.objects.get(user=ada)
    stored = f"{factor.secret} {factor.recovery}"
    assert text[1].replace(" ", "") not in stored
    assert secret.hex() not in stored
    assert not [code for code in recovery if code in stored]
    assert unseal(factor.secret) == secret
    assert browser.get("/admin/").status_code == 200
    assert other.get("/admin/").status_code == 302, "other sessions of the account end"
    assert not [code for code in recovery if code in browser.get(PAGE).content.decode()], "they are shown once"
    assert log_in(used)[1].status_code == 200, "the code that added the factor is used up"
    assert AuditEntry.objects.filter(kind="factor_added", actor="admin").count() == 1


@pytest.mark.usefixtures("codes")
def test_a_login_needs_password_and_code_and_says_not_which_is_wrong() -> None:
    answers = [log_in(*typed)[1] for typed in (("",), ("123",), (code_of(SECRET), "wrong"))]
    texts = {re.sub(r'value="[^"]*"|nonce="[^"]*"', "", answer.content.decode()) for answer in answers}
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({re.search(r"Please enter[^<]*", text)[0] for text in texts}) == 1  # type: ignore[index]
    browser, answer = log_in(code_of(SECRET))
    assert answer.status_code == 302
    assert browser.get("/admin/").status_code == 200


@pytest.mark.usefixtures("codes")
def test_a_code_is_accepted_once_and_none_before_it() -> None:
    now = code_of(SECRET)
    assert log_in(now)[1].status_code == 302
    assert log_in(now)[1].status_code == 200
    assert log_in(code_of(SECRET, -1))[1].status_code == 200
    assert log_in(code_of(SECRET, +1))[1].status_code == 302


@pytest.mark.parametrize(("steps", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_the_clock_of_a_phone_may_be_off_by_one_step(steps: int, is_right: bool) -> None:
    now = int(time.time()) // STEP_SECONDS * STEP_SECONDS + 15
    secret = new_secret()
    code = f"{totp(secret, step=STEP_SECONDS, t0=int(time.time()) - now - steps * STEP_SECONDS):06d}"
    assert (step_of(secret, code, now=now) is not None) is is_right


@pytest.mark.usefixtures("codes")
def test_wrong_codes_count_and_lock_as_wrong_passwords_do() -> None:
    for _attempt in range(4):
        assert log_in("000001")[1].status_code == 200
    assert log_in("000001")[1].status_code == 429
    assert log_in(code_of(SECRET))[1].status_code == 429
    assert [row.kind for row in AuditEntry.objects.order_by("pk")][-2:] == ["login_failed", "locked_out"]


def test_a_recovery_code_lets_in_once(codes: list[str]) -> None:
    assert log_in(codes[0].upper())[1].status_code == 302
    assert log_in(codes[0])[1].status_code == 200
    assert log_in(codes[1].replace("-", " "))[1].status_code == 302
    assert [row.text for row in AuditEntry.objects.filter(kind="recovery_used").order_by("pk")] == ["9 left", "8 left"]


def test_recovery_codes_are_renewed_and_the_factor_removed_by_a_code(ada: User, codes: list[str]) -> None:
    browser, _answer = log_in(codes[0])
    assert "wrong, or was used already" in browser.post(PAGE, {"code": "000001", "step": "renew"}).content.decode()
    renewed = browser.post(PAGE, {"code": codes[1], "step": "renew"}).content.decode()
    other = re.findall(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b", renewed)
    assert log_in(codes[2])[1].status_code == 200, "those from before no longer work"
    browser.post(PAGE, {"code": other[0], "step": "remove"})
    assert not SecondFactor.objects.exists()
    assert log_in()[1].status_code == 302


@pytest.mark.usefixtures("codes")
def test_wrong_codes_on_the_page_lock_too(codes: list[str]) -> None:
    browser, _answer = log_in(codes[0])
    answers = [browser.post(PAGE, {"code": "000001", "step": "remove"}).status_code for _attempt in range(6)]
    assert answers == [200, 200, 200, 200, 429, 429]
    assert SecondFactor.objects.exists()


def test_a_required_role_may_only_add_its_factor_until_it_has_one(ada: User, settings: Any) -> None:
    settings.SECOND_FACTOR_ROLES = ["Admin"]
    browser, answer = log_in()
    assert answer.status_code == 302
    for address in ("/admin/", "/admin/traders/traderconfig/", "/admin/password_change/", "/admin/sessions/"):
        assert browser.get(address, follow=True).redirect_chain[-1][0] == PAGE, address
    assert browser.post("/admin/auth/user/add/", {"username": "x"}).status_code == 302
    assert not User.objects.filter(username="x").exists()
    assert "Your role needs a second factor" in browser.get(PAGE).content.decode()
    secret = unseal(browser.session["factor_pending"])
    browser.post(PAGE, {"code": code_of(secret)})
    assert browser.get("/admin/").status_code == 200
    assert "Remove the second factor" not in browser.get(PAGE).content.decode()
    browser.post(PAGE, {"code": code_of(secret, 1), "step": "remove"})
    assert SecondFactor.objects.exists()
    assert browser_of(Role.VIEWER).get("/admin/").status_code == 200, "other roles need none"


def test_a_session_that_owes_its_factor_can_log_out(ada: User, settings: Any) -> None:
    settings.SECOND_FACTOR_ROLES = ["Admin"]
    browser, _answer = log_in()
    assert browser.post("/admin/logout/").status_code == 200
    assert browser.get(PAGE).status_code == 302


def test_a_changed_secret_key_is_named_and_the_command_removes_the_factor(
    ada: User, codes: list[str], settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key " * 5
    _browser, answer = log_in(code_of(SECRET))
    assert "cannot be read, since the site" in answer.content.decode()
    assert "--remove-factor" in answer.content.decode()
    assert "cannot be read" not in log_in(code_of(SECRET), "wrong")[1].content.decode()
    settings.SECRET_KEY_FALLBACKS = [old]
    assert log_in(code_of(SECRET))[1].status_code == 302
    settings.SECRET_KEY_FALLBACKS = []
    assert log_in(codes[0])[1].status_code == 302, "recovery codes need no key"
    call_command("reset_password", "admin", "--remove-factor")
    said = capsys.readouterr().out
    assert "Its second factor is removed." in said
    assert log_in("", said.split("password ")[1].split(" ")[0])[1].status_code == 302


def test_an_admin_removes_the_lost_factor_of_another_account(codes: list[str]) -> None:
    root = User.objects.create_superuser("root")
    browser = Client()
    browser.force_login(root)
    ada = User.objects.get(username="admin")
    browser.post("/admin/auth/user/", {"action": "remove_factor", "_selected_action": [ada.pk, root.pk]})
    assert not SecondFactor.objects.exists()
    assert list(AuditEntry.objects.filter(kind="factor_removed").values_list("actor", "subject")) == [("root", "admin")]


@pytest.mark.usefixtures("codes")
def test_a_password_is_changed_without_another_code(codes: list[str]) -> None:
    browser, _answer = log_in(codes[0])
    new = {"old_password": PASSWORD, "new_password1": PASSWORD + "!", "new_password2": PASSWORD + "!"}
    assert browser.post("/admin/password_change/", new).status_code == 302


def test_admins_need_a_factor_once_other_machines_reach_the_site() -> None:
    assert second_factor_roles([], is_local=True) == []
    assert second_factor_roles([], is_local=False) == ["Admin"]
    assert second_factor_roles(["none"], is_local=False) == []
    assert second_factor_roles(["Admin", "Operator"], is_local=True) == ["Admin", "Operator"]
    with pytest.raises(ImproperlyConfigured, match="'admins' is no role"):
        second_factor_roles(["admins"], is_local=True)


def test_the_login_asks_for_a_code_only_where_an_account_has_a_factor(ada: User) -> None:
    assert "otp_token" not in Client().get("/admin/login/").content.decode()
    factors.add(ada, SECRET, 0)
    assert "otp_token" in Client().get("/admin/login/").content.decode()
