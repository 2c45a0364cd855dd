"""Wrong passwords: five, then a wait that the page tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.utils import timezone

from nof0site.login import client_address

LOGIN = "/admin/login/"
PASSWORD = "a long enough one"


@pytest.fixture(autouse=True)
def _ada(db: None) -> None:
    User.objects.create_superuser("ada", password=PASSWORD)


def log_in(password: str, username: str = "ada", **sent: Any) -> Any:
    """From a browser of its own, as another web server would see it."""
    return Client().post(f"{LOGIN}?next=/admin/", {"username": username, "password": password}, **sent)


def fail(times: int, **sent: Any) -> Any:
    answers = [log_in("wrong", **sent) for _ in range(times)]
    return answers[-1]


def test_the_fifth_wrong_password_locks_and_the_page_says_for_how_long() -> None:
    assert fail(4).status_code == 200
    answer = log_in("wrong")
    assert answer.status_code == 429
    assert "Try again in 15 minutes." in answer.content.decode()
    assert 890 <= int(answer.headers["Retry-After"]) <= 900


def test_the_right_password_does_not_help_while_locked() -> None:
    fail(5)
    answer = log_in(PASSWORD)
    assert answer.status_code == 429
    assert "_auth_user_id" not in answer.client.session


def test_attempts_while_locked_do_not_make_it_longer() -> None:
    fail(5)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=10))
    assert "Try again in 5 minutes." in fail(3).content.decode()


def test_the_wait_ends() -> None:
    fail(5)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    assert log_in(PASSWORD).status_code == 302


def test_success_forgets_the_failures_before_it() -> None:
    fail(4)
    assert log_in(PASSWORD).status_code == 302
    assert fail(4).status_code == 200


def test_changing_the_browsers_name_does_not_help() -> None:
    for number in range(4):
        log_in("wrong", headers={"user-agent": f"browser {number}"})
    assert log_in("wrong", headers={"user-agent": "another"}).status_code == 429


def test_others_are_not_locked_out_with_it() -> None:
    User.objects.create_superuser("mei", password=PASSWORD)
    fail(5)
    assert log_in(PASSWORD, username="mei").status_code == 302
    assert log_in(PASSWORD, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_an_unknown_name_is_treated_like_a_known_one() -> None:
    answers = [log_in("wrong", username="nobody") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]


def test_an_admin_lets_somebody_in_again() -> None:
    fail(5)
    admin = User.objects.create_superuser("root", password=PASSWORD)
    browser = Client()
    browser.force_login(admin)
    ada = User.objects.get(username="ada")
    answer = browser.post("/admin/auth/user/", {"action": "let_in_again", "_selected_action": [ada.pk]}, follow=True)
    assert "1 account can log in again." in answer.content.decode()
    assert log_in(PASSWORD).status_code == 302


def test_a_new_password_from_the_command_lets_in_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    fail(5)
    call_command("reset_password", "ada")
    password = capsys.readouterr().out.split("password ")[1].split(" ")[0]
    assert log_in(password).status_code == 302


def test_no_password_is_kept() -> None:
    fail(2)
    for attempt in AccessAttempt.objects.all():
        assert "wrong" not in f"{attempt.post_data} {attempt.get_data}"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "address"),
    [
        (0, "198.51.100.9", "192.0.2.1", "192.0.2.1"),
        (1, "198.51.100.9", "192.0.2.1", "198.51.100.9"),
        (1, "10.9.9.9, 198.51.100.9", "192.0.2.1", "198.51.100.9"),
        (2, "10.9.9.9, 198.51.100.9, 192.0.2.2", "192.0.2.1", "198.51.100.9"),
        (2, "198.51.100.9", "192.0.2.1", "198.51.100.9"),
        (1, "", "192.0.2.1", "192.0.2.1"),
        (1, "not an address", "192.0.2.1", None),
        (0, "", "", None),
        (0, "", "2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
        (0, "", "::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_the_address_is_what_our_proxies_saw(
    settings: Any, proxies: int, forwarded: str, remote: str, address: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"x-forwarded-for": forwarded} if forwarded else {}, REMOTE_ADDR=remote)
    assert client_address(request) == address


def test_a_client_cannot_escape_by_inventing_where_it_comes_from(settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    answers = [log_in("wrong", headers={"x-forwarded-for": f"10.0.0.{number}, 198.51.100.9"}) for number in range(5)]
    assert answers[-1].status_code == 429
