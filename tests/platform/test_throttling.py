"""Wrong passwords: counted by account, by address and by both; then a wait that the page tells."""

from __future__ import annotations

import logging
import re
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.utils import timezone

from nof0site.login.attempts import KNOWN_FOR
from nof0site.login.hashing import AttemptLock, strangers
from nof0site.login.throttle import LIMITS, ThrottleScope
from traders.audit.origin import client_address

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


def many(number: int) -> str:
    """An address of its own for each number."""
    return f"198.51.{number // 250}.{number % 250 + 1}"


def fail_from_everywhere(times: int, username: str = "ada") -> Any:
    answers = [log_in("wrong", username=username, REMOTE_ADDR=many(number)) for number in range(times)]
    return answers[-1]


MOST = LIMITS[ThrottleScope.ACCOUNT].failures


def test_guesses_for_one_account_from_many_addresses_are_slowed_down() -> None:
    assert fail_from_everywhere(MOST - 1).status_code == 200
    answer = log_in("wrong", REMOTE_ADDR="203.0.113.1")
    assert answer.status_code == 429
    assert "wrong passwords from many addresses" in answer.content.decode()
    assert int(answer.headers["Retry-After"]) <= 5
    assert log_in(PASSWORD, REMOTE_ADDR="203.0.113.2").status_code == 429


def test_nobody_is_locked_out_by_others_for_more_than_a_minute() -> None:
    fail_from_everywhere(MOST)
    AccessAttempt.objects.update(failures_since_start=1000)
    assert int(log_in(PASSWORD, REMOTE_ADDR="203.0.113.2").headers["Retry-After"]) <= 60
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(seconds=61))
    assert log_in(PASSWORD, REMOTE_ADDR="203.0.113.2").status_code == 302


def test_where_an_account_logged_in_lately_others_do_not_lock_it_out() -> None:
    assert log_in(PASSWORD, REMOTE_ADDR="203.0.113.2").status_code == 302
    fail_from_everywhere(MOST)
    assert log_in(PASSWORD, REMOTE_ADDR="203.0.113.3").status_code == 429
    assert log_in(PASSWORD, REMOTE_ADDR="203.0.113.2").status_code == 302
    AccessLog.objects.update(attempt_time=timezone.now() - KNOWN_FOR - timedelta(days=1))
    assert log_in(PASSWORD, REMOTE_ADDR="203.0.113.2").status_code == 429


def test_one_password_tried_on_many_accounts_locks_the_address() -> None:
    names = [f"user{number}" for number in range(LIMITS[ThrottleScope.ADDRESS].failures)]
    answers = [log_in("Winter2026", username=name) for name in names]
    assert [answer.status_code for answer in answers] == [200] * (len(names) - 1) + [429]
    assert "Too many wrong passwords came from this address." in answers[-1].content.decode()
    assert re.search(r"Try again in (30|2\d) seconds\.", answers[-1].content.decode())
    assert log_in(PASSWORD).status_code == 429
    assert log_in(PASSWORD, REMOTE_ADDR="203.0.113.2").status_code == 302


def test_a_login_of_ones_own_does_not_reset_the_count_of_an_address() -> None:
    User.objects.create_superuser("mallory", password=PASSWORD)
    for number in range(LIMITS[ThrottleScope.ADDRESS].failures - 1):
        log_in("wrong", username=f"user{number}")
    assert log_in(PASSWORD, username="mallory").status_code == 302
    assert log_in("wrong", username="another").status_code == 429


def test_old_logins_are_forgotten() -> None:
    log_in(PASSWORD)
    AccessLog.objects.update(attempt_time=timezone.now() - KNOWN_FOR - timedelta(days=1))
    log_in(PASSWORD, REMOTE_ADDR="203.0.113.2")
    assert AccessLog.objects.count() == 1


CHANGE = "/admin/password_change/"


def change(browser: Client, old: str, new: str = "another long one") -> Any:
    return browser.post(CHANGE, {"old_password": old, "new_password1": new, "new_password2": new})


@pytest.fixture
def browser() -> Client:
    browser = Client()
    browser.force_login(User.objects.get(username="ada"))
    return browser


def test_the_page_that_changes_the_password_is_throttled_too(browser: Client) -> None:
    answers = [change(browser, "wrong") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert "Your old password was entered incorrectly" in answers[0].content.decode()
    assert change(browser, PASSWORD).status_code == 429
    assert User.objects.get(username="ada").check_password(PASSWORD)
    assert log_in(PASSWORD).status_code == 429
    for attempt in AccessAttempt.objects.all():
        assert "another" not in f"{attempt.post_data} {attempt.get_data}"


def test_a_password_is_changed_and_the_failures_before_are_forgotten(browser: Client) -> None:
    change(browser, "wrong")
    assert change(browser, PASSWORD).status_code == 302
    assert User.objects.get(username="ada").check_password("another long one")
    assert browser.get("/admin/").status_code == 200
    assert not AccessAttempt.objects.exists()


def test_a_weak_new_password_is_refused(browser: Client) -> None:
    answer = change(browser, PASSWORD, "123")
    assert answer.status_code == 200
    assert answer.context["form"].errors["new_password2"]


def test_failures_are_logged_with_account_and_address(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "nof0site.login.pages")
    log_in("wrong", username="ada\nEverything is fine.", REMOTE_ADDR="203.0.113.9")
    fail(6, REMOTE_ADDR="203.0.113.9")
    log_in(PASSWORD, REMOTE_ADDR="203.0.113.8")
    lines = [record.getMessage() for record in caplog.records if record.name == "nof0site.login.pages"]
    assert not [line for line in lines if "\n" in line]
    assert "Login of account 'ada' from 203.0.113.9 failed: wrong password or no such account." in lines
    assert [line for line in lines if line.startswith("Logins of account 'ada' from 203.0.113.9 are refused until")]
    assert "Login of account 'ada' from 203.0.113.9 refused: too many wrong passwords before." in lines
    assert "Account 'ada' logged in from 203.0.113.8." in lines
    assert not [record for record in caplog.records if record.name.startswith("axes")]


def test_while_a_strangers_password_is_checked_another_is_told_to_wait(settings: Any, browser: Client) -> None:
    settings.WEB_THREADS = 2
    with strangers.taken("203.0.113.1", 0):
        answers = [log_in(PASSWORD, REMOTE_ADDR="203.0.113.2"), change(browser, "x")]
    for answer in answers:
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
        assert "the password was not looked at" in answer.content.decode()
    assert not AccessAttempt.objects.exists()
    assert log_in(PASSWORD, REMOTE_ADDR="203.0.113.2").status_code == 302


def test_guessing_elsewhere_holds_no_account_up_where_it_is_known() -> None:
    assert log_in(PASSWORD, REMOTE_ADDR="203.0.113.2").status_code == 302
    with strangers.taken("203.0.113.1", 0):
        assert log_in(PASSWORD, REMOTE_ADDR="203.0.113.2").status_code == 302


def test_what_is_refused_anyway_and_pages_need_no_turn() -> None:
    fail(5)
    with strangers.taken("203.0.113.1", 0):
        assert log_in(PASSWORD).status_code == 429
        assert Client().get(LOGIN).status_code == 200


def test_one_has_the_turn_some_wait_and_the_rest_is_refused() -> None:
    turn, answers = AttemptLock(), list[bool]()

    def wait(client: str) -> None:
        with turn.taken(client, 2, 30) as is_ours:
            answers.append(is_ours)

    with turn.taken("a", 0) as is_ours:
        assert is_ours
        threads = [threading.Thread(target=wait, args=[client]) for client in "bc"]
        for thread in threads:
            thread.start()
        while len(turn._present) < 3:
            time.sleep(0.001)
        for client, waiting in (("d", 2), ("b", 9), ("a", 9)):
            with turn.taken(client, waiting) as refused:
                assert not refused
        with turn.taken("d", 9, 0) as impatient:
            assert not impatient
    for thread in threads:
        thread.join(30)
    assert answers == [True, True]
    assert (turn._busy.locked(), turn._present) == (False, set())


def test_an_error_gives_the_turn_back() -> None:
    turn = AttemptLock()
    with pytest.raises(ValueError, match="broken"), turn.taken("a", 0):
        raise ValueError("broken")
    with turn.taken("a", 0) as is_ours:
        assert is_ours
