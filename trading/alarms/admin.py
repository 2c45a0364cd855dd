"""Alarms in the admin: the log, one alarm, channels and rules."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.drafts import pages as drafts
from traders.pages import seams
from traders.pages.grid import ReadOnlyAdmin, TraderListFilter
from traders.pages.in_place import InPlaceAdmin
from traders.schema.problems import InvalidConfig
from traders.templatetags.display import ago
from traders.words import messages as words
from traders.words.messages import listed, translated
from trading.alarms import presentation, queries, services
from trading.alarms.forms import AcknowledgeForm, ChannelForm, RuleForm
from trading.alarms.presentation import AlarmState
from trading.alarms.rules.catalogue import CHANGEABLE
from trading.alarms.rules.channels import FLEET_CHANNEL
from trading.alarms.services import UnknownAlarm, UnknownChannel
from trading.models import Alarm, AlarmChannel, AlarmDelivery, AlarmRuleChange

SHOWN_TRADERS = 3
SHOWN_DELIVERIES = 200

seams.top_bar.append(presentation.top_bar)


class AlarmStateFilter(admin.SimpleListFilter):
    """`lasting` are all that have not ended."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        words = presentation.state_words()
        return [("lasting", _("not ended")), *((state.value, words[state]) for state in AlarmState)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alarm]) -> QuerySet[Alarm]:
        unacknowledged = queries.is_unacknowledged(timezone.now())
        chosen = {
            "lasting": Q(ended_at__isnull=True),
            AlarmState.OPEN: Q(unacknowledged, ended_at__isnull=True),
            AlarmState.ACKNOWLEDGED: Q(~unacknowledged, ended_at__isnull=True),
            AlarmState.ENDED: Q(ended_at__isnull=False),
        }.get(self.value() or "")
        return queryset.filter(chosen) if chosen is not None else queryset


class AlarmSeverityFilter(admin.SimpleListFilter):
    title = gettext_lazy("severity")
    parameter_name = "severity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(presentation.severity_words().items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alarm]) -> QuerySet[Alarm]:
        return queryset.filter(severity=self.value()) if self.value() else queryset


class AlarmTraderFilter(TraderListFilter):
    def narrowed(self, rows: QuerySet[Alarm], traders: tuple[str, ...]) -> QuerySet[Alarm]:
        return rows.filter(traders__overlap=list(traders))


class AlarmRuleFilter(admin.SimpleListFilter):
    title = gettext_lazy("rule")
    parameter_name = "rule"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(rule.name.value, translated(rule.label)) for rule in CHANGEABLE]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alarm]) -> QuerySet[Alarm]:
        return queryset.filter(rule=self.value()) if self.value() else queryset


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin):
    change_list_template = "trading/alarms.html"
    change_form_template = "trading/alarm.html"
    list_display = ("what", "severity_shown", "rule_shown", "concerned", "since", "seen", "state")
    list_display_links = ("what",)
    list_filter = (AlarmTraderFilter, AlarmStateFilter, AlarmSeverityFilter, AlarmRuleFilter)
    ordering = ("-id",)
    figures = frozenset({"seen"})
    fieldsets = (
        (None, {"fields": ("state", "severity_shown", "since", "last", "seen", "subject", "all_concerned")}),
        (gettext_lazy("Figures"), {"fields": ("all_figures",), "classes": ("wide",)}),
    )
    readonly_fields = (
        *("state", "severity_shown", "since", "last", "seen", "subject", "all_concerned", "all_figures"),
    )

    def get_urls(self) -> list[URLPattern]:
        acknowledge = self.admin_site.admin_view(self.acknowledge_view)
        return [
            path("<int:alarm_id>/acknowledge/", acknowledge, name="trading_alarm_acknowledge"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"unwatched": presentation.unwatched(), **(extra_context or {})})

    def row_class(self, row: Alarm) -> str:
        return f"is-{presentation.state_of(row, timezone.now())}"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        alarm: Any = self.get_object(request, object_id)
        if alarm is None:
            return super().change_view(request, object_id, form_url, extra_context)
        rule = presentation.rule_of(alarm.rule)
        context = {
            "title": presentation.rule_words(alarm.rule),
            "alarm": alarm,
            "said": presentation.message_words(alarm),
            "advice": translated(rule.advice) if rule else "",
            "help": translated(rule.help) if rule else "",
            "deliveries": [
                (row, presentation.event_words(row.event), presentation.delivery_words(row.status))
                for row in AlarmDelivery.objects.filter(alarm=alarm).order_by("-id")[:SHOWN_DELIVERIES]
            ],
            "form": AcknowledgeForm() if may_acknowledge(request) and alarm.ended_at is None else None,
            "is_acknowledged": presentation.state_of(alarm, timezone.now()) is AlarmState.ACKNOWLEDGED,
        }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def acknowledge_view(self, request: HttpRequest, alarm_id: int) -> HttpResponseBase:
        if not may_acknowledge(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = AcknowledgeForm(request.POST)
        back = request.POST.get("back") == "overview"
        answer = HttpResponseRedirect(reverse("admin:index")) if back else _to_alarm(alarm_id)
        if not form.is_valid():
            messages.warning(request, _("Nothing was acknowledged: choose until when."))
            return answer
        try:
            alarm = services.acknowledge(
                alarm_id, by=request.user.get_username(), until=form.until, reason=form.cleaned_data["reason"]
            )
        except InvalidConfig as refused:
            messages.error(request, words.why(refused))
            return answer
        except UnknownAlarm:
            messages.warning(request, _("There is no alarm %(id)s.") % {"id": alarm_id})
            return HttpResponseRedirect(reverse("admin:trading_alarm_changelist"))
        if alarm.acknowledged_by == request.user.get_username():
            messages.success(request, _("Acknowledged."))
        else:
            messages.info(request, _("The alarm had ended already."))
        return drafts.ended(request, answer)

    @display(description=gettext_lazy("alarm"))
    def what(self, row: Alarm) -> str:
        return presentation.message_words(row)

    @display(description=gettext_lazy("severity"))
    def severity_shown(self, row: Alarm) -> SafeString:
        return presentation.severity_mark(row.severity)

    @display(description=gettext_lazy("rule"))
    def rule_shown(self, row: Alarm) -> str:
        return presentation.rule_words(row.rule)

    @display(description=gettext_lazy("traders"), empty_value="")
    def concerned(self, row: Alarm) -> str:
        shown = listed(row.traders[:SHOWN_TRADERS])
        more = len(row.traders) - SHOWN_TRADERS
        return _("%(shown)s and %(n)s more") % {"shown": shown, "n": more} if more > 0 else shown

    @display(description=gettext_lazy("traders"))
    def all_concerned(self, row: Alarm) -> SafeString | str:
        """Each leads to its page."""
        links = ((reverse("admin:traders_traderconfig_overview", args=[name]), name) for name in row.traders)
        return format_html_join(" ", '<a href="{}">{}</a>', links) if row.traders else "–"

    @display(description=gettext_lazy("since"))
    def since(self, row: Alarm) -> SafeString:
        return ago(row.first_at)

    @display(description=gettext_lazy("last seen"))
    def last(self, row: Alarm) -> SafeString:
        return ago(row.last_at)

    @display(description=gettext_lazy("seen"))
    def seen(self, row: Alarm) -> str:
        return f"{row.count:,}"

    @display(description=gettext_lazy("state"))
    def state(self, row: Alarm) -> SafeString:
        """With who acknowledged or ended it."""
        mark = presentation.state_mark(row, timezone.now())
        if row.ended_at is not None:
            how = _("by itself") if row.ended_by == "@cause" else row.ended_by
            return format_html('<span>{} <span class="faint">{} · {}</span></span>', mark, how, ago(row.ended_at))
        if row.acknowledged_at is not None:
            said = presentation.acknowledged_words(row, timezone.now())
            return format_html(
                '<span>{} <span class="faint">{} · {}</span></span>', mark, said, ago(row.acknowledged_at)
            )
        return mark

    @display(description=gettext_lazy("figures"))
    def all_figures(self, row: Alarm) -> SafeString | str:
        pairs = (presentation.figure_shown(name, value) for name, value in row.figures.items())
        shown = format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", pairs)
        return format_html('<dl class="facts">{}</dl>', shown) if row.figures else "–"


@admin.register(AlarmChannel)
class AlarmChannelAdmin(InPlaceAdmin):
    form = ChannelForm
    change_list_template = "trading/alarm_channels.html"
    list_display = ("name", "kind", "address", "pages_only", "is_on", "last_delivery")
    ordering = ("name",)
    show_full_result_count = False

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(self.test_view)
        return [path("test/<str:channel>/", test, name="trading_alarmchannel_test"), *super().get_urls()]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Each row with what became of its last message."""
        found = super().get_changelist_instance(request)
        for row in found.result_list:
            row.last_delivery = self.last_delivery(row)
        return found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context: dict[str, Any] = {
            "title": _("Alarm channels"),
            "unwatched": presentation.unwatched(),
            "fleet_webhook": queries.fleet_webhook(),
            "fleet_channel": FLEET_CHANNEL,
            "fleet_delivery": self.last_delivery(AlarmChannel(name=FLEET_CHANNEL)),
            "testable": [channel.name for channel in queries.channels()] if may_test(request) else [],
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for name in form.missing_variables:
            said = _("%(name)s is not set in the environment of this site: nothing is sent until it is.")
            messages.warning(request, said % {"name": name})

    def test_view(self, request: HttpRequest, channel: str) -> HttpResponseBase:
        if not may_test(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            alarm_id = services.test_channel(channel, by=request.user.get_username())
        except UnknownChannel as unknown:
            raise Http404 from unknown
        said = _("A test waits to be sent to %(channel)s. This page shows what becomes of it.")
        messages.success(request, said % {"channel": channel})
        return _to_alarm(alarm_id)

    @display(description=gettext_lazy("last delivery"))
    def last_delivery(self, row: AlarmChannel) -> SafeString | str:
        last = AlarmDelivery.objects.filter(channel=row.name).order_by("-id").first()
        return (
            format_html("{} {}", presentation.delivery_words(last.status), ago(last.done_at or last.created_at))
            if last
            else "–"
        )


@admin.register(AlarmRuleChange)
class AlarmRuleAdmin(InPlaceAdmin):
    """The list shows every rule as it is in force; a row exists only where a site changed one."""

    form = RuleForm
    change_list_template = "trading/alarm_rules.html"
    show_full_result_count = False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"rule": request.GET.get("rule", "")}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the chosen rule has."""
        return list(self._form_of(request, obj).fields)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The fields are the form's own: it leaves out those that its rule does not have."""
        return RuleForm

    def _form_of(self, request: HttpRequest, obj: Any) -> RuleForm:
        asked = request.POST.get("rule") or request.GET.get("rule", "")
        return RuleForm(instance=obj) if obj else RuleForm(initial={"rule": asked})

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        in_force = queries.rules_in_force()
        changed = set(AlarmRuleChange.objects.values_list("pk", flat=True))
        lines = [
            {"rule": rule, "in_force": in_force[rule.name], "is_changed": rule.name in changed} for rule in CHANGEABLE
        ]
        context: dict[str, Any] = {
            "title": _("Alarm rules"),
            "lines": lines,
            "may_change": self.has_change_permission(request),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})


def may_acknowledge(request: HttpRequest) -> bool:
    return request.user.has_perm("trading.acknowledge_alarm")


def may_test(request: HttpRequest) -> bool:
    return request.user.has_perm("trading.change_alarmchannel")


def _to_alarm(alarm_id: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:trading_alarm_change", args=[alarm_id]))
