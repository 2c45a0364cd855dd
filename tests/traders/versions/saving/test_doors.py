"""Where a Django developer saves: a shell, a script that fills a site, the admin of a plugin."""

from __future__ import annotations

import code
from io import StringIO
from typing import Any

import pytest
from django import forms
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import RequestFactory
from simple_history.admin import SimpleHistoryAdmin

from tests.factories import make_trader, save_edit, sync_traders
from traders.models import TraderConfig, TraderConfigVersion
from traders.schema.actors import os_actor
from traders.versioned import change

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _traders(db: None) -> None:
    sync_traders(make_trader(), make_trader("other"))


def newest(trader_id: str = "steady_long") -> TraderConfigVersion:
    return TraderConfigVersion.objects.filter(id=trader_id).latest("version")


def test_a_shell_session(capsys: pytest.CaptureFixture[str]) -> None:
    call_command(
        "shell",
        "--no-imports",
        command=(
            "from traders.models import TraderConfig\n"
            "t = TraderConfig.objects.get(pk='steady_long')\n"
            "t.detail['risk']['max_positions'] = 5\n"
            "t._change_reason = 'from the shell'\n"
            "t.save()\n"
            "print(t.history.first().changed_fields, t.version)\n"
        ),
    )

    assert capsys.readouterr().out == "['detail.risk.max_positions'] 2\n"
    assert (newest().history_user_id, newest().history_change_reason) == (os_actor(), "from the shell")


def test_a_mistake_in_a_shell_says_what_would_be_right() -> None:
    shell = code.InteractiveInterpreter({"TraderConfig": TraderConfig})
    said = StringIO()
    shell.write = said.write  # type: ignore[method-assign, assignment]
    for line in (
        "t = TraderConfig.objects.get(pk='steady_long')",
        "t.detail['risk']['max_positions'] = 'many'",
        "t._change_reason = 'typo'",
        "t.save()",
    ):
        shell.runsource(line)

    assert "detail.risk.max_positions must be a whole number" in said.getvalue()
    assert newest().version == 1


def test_a_script_that_fills_a_site() -> None:
    """Made once, it finds everything in place when it runs again."""
    for _run in range(2):
        with change(reason="traders of the new office", actor="setup"):
            template = TraderConfig.objects.get(pk="steady_long")
            for number in range(3):
                row, _made = TraderConfig.objects.get_or_create(
                    pk=f"office_{number}",
                    defaults={
                        "exchange_provider": template.exchange_provider,
                        "market_provider": template.market_provider,
                        "allocation_pct": 5,
                        "detail": template.detail,
                    },
                )
                row.detail = {**row.detail, "description": f"Trader {number}"}
                row.save()

    found = TraderConfigVersion.objects.filter(id__startswith="office_").order_by("id", "version")
    assert [(row.id, row.version) for row in found] == [(f"office_{n}", v) for n in range(3) for v in (1, 2)]
    assert {(row.history_user_id, row.history_change_reason) for row in found} == {
        ("setup", "traders of the new office")
    }
    assert len({row.change_set for row in found}) == 1


def test_update_or_create_makes_a_version_inside_of_a_change() -> None:
    with change(reason="less"):
        TraderConfig.objects.update_or_create(pk="steady_long", defaults={"allocation_pct": 10})

    assert newest().changed_fields == ["allocation_pct"]


class PluginForm(forms.ModelForm):  # type: ignore[type-arg]
    reason = forms.CharField(required=False)

    class Meta:
        model = TraderConfig
        fields = ("allocation_pct", "exchange_provider")


class PluginAdmin(ModelAdmin):  # type: ignore[type-arg]
    form = PluginForm

    def save_model(self, request: Any, obj: TraderConfig, form: Any, change: bool) -> None:
        obj._history_user, obj._change_reason = request.user, form.cleaned_data["reason"]
        super().save_model(request, obj, form, change)


class HistoryAdmin(SimpleHistoryAdmin):
    fields = ("allocation_pct",)


def posted(admin: ModelAdmin[TraderConfig], request: Any, **values: Any) -> tuple[Any, TraderConfig]:
    """The form as the admin makes and saves it, as far as it is valid."""
    row = TraderConfig.objects.get(pk="steady_long")
    form = admin.get_form(request, row, change=True)(
        {"exchange_provider": row.exchange_provider, **values}, instance=row
    )
    if form.is_valid():
        admin.save_model(request, form.save(commit=False), form, change=True)
    return form, row


def test_the_admin_of_a_plugin_makes_a_version(rf: RequestFactory, admin_user: User) -> None:
    request: Any = rf.post("/")
    request.user = admin_user

    posted(PluginAdmin(TraderConfig, AdminSite()), request, allocation_pct="10", reason="less")

    made = newest()
    assert (made.changed_fields, made.history_change_reason) == (["allocation_pct"], "less")
    assert (made.history_user_id, made.account_id) == (admin_user.username, admin_user.pk)


def test_the_admin_of_simple_history_names_the_account(rf: RequestFactory, admin_user: User) -> None:
    request: Any = rf.post("/")
    request.user = admin_user
    with change(reason="less"):
        posted(HistoryAdmin(TraderConfig, AdminSite()), request, allocation_pct="10")

    assert newest().account_id == admin_user.pk


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"allocation_pct": "80"}, "makes the fleet"),
        ({"allocation_pct": "10", "exchange_provider": "nobody"}, "must be a provider of exchange.yaml"),
    ],
)
def test_the_form_of_a_plugin_shows_what_save_would_refuse(
    rf: RequestFactory, admin_user: User, values: dict[str, str], message: str
) -> None:
    request: Any = rf.post("/")
    request.user = admin_user

    form, _row = posted(PluginAdmin(TraderConfig, AdminSite()), request, reason="less", **values)

    assert message in str(form.errors)
    assert newest().version == 1


def test_the_form_of_a_plugin_shows_that_somebody_saved_meanwhile() -> None:
    row = TraderConfig.objects.get(pk="steady_long")
    form = PluginForm({"allocation_pct": "10", "exchange_provider": row.exchange_provider}, instance=row)
    save_edit("steady_long", detail__description="calm")

    assert "stored in version 2, the instance is of version 1" in str(form.errors)
