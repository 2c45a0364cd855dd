"""The roles: what they hold, who gets in, and how an admin gives one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client

from tests.factories import make_file, make_fleet, make_trader, save_edit, sync_traders
from tests.traders.admin.browsing import text_of
from tests.traders.admin.people import account, browser_of
from traders.accounts.rules import Role
from traders.schema.settings.fleet import FLEET_ID
from traders.sync.services import sync
from traders.versions import services as configs

USERS = "/admin/auth/user/"
PASSWORD = "a long enough one"


def held_by(role: Role) -> set[str]:
    permissions = Permission.objects.filter(group__name=role).select_related("content_type")
    return {f"{permission.content_type.app_label}.{permission.codename}" for permission in permissions}


def require_roles() -> None:
    viewer, operator, admin = (held_by(role) for role in Role)
    assert {"traders.view_traderconfig", "traders.view_prompttext", "traders.view_managerconfig"} <= viewer
    assert all(".view_" in name for name in viewer)
    assert operator - viewer == {
        *("traders.add_traderconfig", "traders.change_traderconfig", "traders.add_prompttext"),
        "trading.exclude_record",
        "trading.acknowledge_alarm",
        "trading.settle_exchangedifference",
    }
    assert operator < admin
    assert not [name for name in operator if "apitoken" in name]
    assert {"traders.view_apitoken", "traders.add_apitoken"} <= admin
    assert {"traders.change_managerconfig", "auth.add_user", "auth.change_group"} <= admin


@pytest.mark.django_db
def test_roles_hold_their_permissions_on_a_fresh_database() -> None:
    require_roles()


@pytest.mark.django_db(transaction=True)
def test_roles_hold_their_permissions_after_a_flush() -> None:
    call_command("flush", interactive=False, verbosity=0)
    require_roles()


@pytest.mark.django_db
def test_migrating_again_puts_a_role_back_and_leaves_other_groups_alone() -> None:
    other = Group.objects.create(name="Auditors")
    other.permissions.set(Permission.objects.filter(codename="view_user"))
    Group.objects.get(name=Role.VIEWER).permissions.clear()
    Group.objects.get(name=Role.OPERATOR).permissions.set(Permission.objects.all())
    Group.objects.get(name=Role.ADMIN).delete()

    call_command("migrate", verbosity=0, interactive=False)

    require_roles()
    assert other.permissions.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_a_role_is_enough_to_log_in(role: Role) -> None:
    account(role, password=PASSWORD)
    client = Client()
    answer = client.post("/admin/login/?next=/admin/", {"username": role.value.lower(), "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert client.get("/admin/").status_code == 200


@pytest.mark.django_db
def test_without_a_role_nobody_logs_in() -> None:
    account(None, password=PASSWORD)
    client = Client()
    answer = client.post("/admin/login/", {"username": "outsider", "password": PASSWORD})
    assert answer.status_code == 200
    assert "an account that has a role" in text_of(answer)
    assert client.get("/admin/").status_code == 302


@pytest.mark.django_db
def test_a_deactivated_account_is_out_at_its_next_request() -> None:
    client = browser_of(Role.OPERATOR)
    User.objects.filter(username="operator").update(is_active=False)
    assert client.get("/admin/")["Location"].startswith("/admin/login/")


@pytest.mark.django_db
def test_an_admin_adds_a_person_with_a_role_in_one_form() -> None:
    admin = browser_of(Role.ADMIN)
    form = {"username": "mei", "role": "Operator", "usable_password": "true"}
    answer = admin.post(f"{USERS}add/", form | {"password1": PASSWORD, "password2": PASSWORD})

    mei = User.objects.get(username="mei")
    assert answer.status_code == 302
    assert [group.name for group in mei.groups.all()] == ["Operator"]
    assert not mei.is_staff
    login = Client().post("/admin/login/?next=/admin/", {"username": "mei", "password": PASSWORD})
    assert login.status_code == 302


@pytest.mark.django_db
def test_another_role_takes_the_place_of_the_first_and_leaves_other_groups() -> None:
    mei = account(Role.VIEWER)
    auditors = Group.objects.create(name="Auditors")
    mei.groups.add(auditors)
    admin = browser_of(Role.ADMIN)

    page = admin.get(f"{USERS}{mei.pk}/change/")
    form = page.context["adminform"].form
    assert form.initial["role"] == Role.VIEWER
    assert [group.name for group in form.fields["groups"].queryset] == ["Auditors"]
    data = {"username": mei.username, "role": "Operator", "is_active": "on", "groups": [auditors.pk]}
    moments = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    answer = admin.post(f"{USERS}{mei.pk}/change/", data | moments)

    assert answer.status_code == 302
    assert {group.name for group in mei.groups.all()} == {"Operator", "Auditors"}


@pytest.mark.django_db
def test_an_admin_neither_makes_nor_touches_a_superuser() -> None:
    owner = User.objects.create_superuser("owner", password=PASSWORD)
    mei = account(Role.VIEWER)
    admin = browser_of(Role.ADMIN)
    data = {"username": mei.username, "is_active": "on", "is_superuser": "on"}
    moments = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}

    assert admin.post(f"{USERS}{mei.pk}/change/", data | moments).status_code == 302
    assert not User.objects.get(pk=mei.pk).is_superuser
    assert admin.post(f"{USERS}{owner.pk}/change/", data | moments).status_code == 403
    password = {"password1": "another long one", "password2": "another long one", "usable_password": "true"}
    assert admin.post(f"{USERS}{owner.pk}/password/", password).status_code == 403
    assert admin.post(f"{USERS}{owner.pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [owner.pk], "post": "yes"}
    admin.post(USERS, chosen)
    assert User.objects.get(pk=owner.pk).check_password(PASSWORD)


@pytest.mark.django_db
def test_the_groups_of_the_roles_are_looked_at_only() -> None:
    admin = browser_of(Role.ADMIN)
    group = Group.objects.get(name=Role.VIEWER)
    url = f"/admin/auth/group/{group.pk}/"
    assert admin.get(f"{url}change/").status_code == 200
    assert admin.post(f"{url}change/", {"name": "Readers"}).status_code == 403
    assert admin.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    assert Group.objects.filter(name=Role.VIEWER).exists()


@pytest.mark.django_db
def test_an_operator_settles_conflicts_of_traders_and_not_of_the_fleet() -> None:
    sync_traders(make_trader())
    save_edit("steady_long", detail__risk__max_positions=5)
    save_edit(FLEET_ID, detail__manager__total_equity_usd=Decimal("2000"))
    changed = make_fleet(detail__manager__total_equity_usd=Decimal("3000"))
    sync(file=make_file(make_trader(detail__risk__max_positions=7), fleet=changed), actor="cli")
    trader = {"choice:steady_long:detail.risk.max_positions": "yaml", "seen:steady_long": "2", "reason": "as agreed"}
    fleet = {f"choice:{FLEET_ID}:detail.manager.total_equity_usd": "yaml", f"seen:{FLEET_ID}": "2"}
    operator = browser_of(Role.OPERATOR)
    url = "/admin/traders/traderconfig/conflicts/"

    assert f'name="choice:{FLEET_ID}' not in operator.get(url).content.decode()
    assert operator.post(url, trader | fleet).status_code == 403
    assert operator.post(url, trader).status_code == 302
    assert configs.existing("steady_long").flat["detail.risk.max_positions"] == 7
    assert configs.existing(FLEET_ID).version == 2
    assert browser_of(Role.ADMIN).post(url, fleet | {"reason": "as agreed"}).status_code == 302
    assert configs.existing(FLEET_ID).version == 3
