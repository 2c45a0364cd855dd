"""The filters of the traders list: each a select above the table."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from traders.models import TraderConfig
from traders.runtime.rules import State
from traders.runtime.states import in_state
from traders.templatetags.display import state_word
from traders.versions import services as configs

Lookups = list[tuple[str, Any]]
# Stands for the empty name, because an empty value means "no filter".
DEFAULT = "-"


class StateFilter(SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [(state.value, state_word(state)) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TraderConfig]) -> QuerySet[TraderConfig]:
        if self.value() not in list(State):
            return queryset
        return in_state(queryset, State(str(self.value())), timezone.now())


class NameFilter(SimpleListFilter):
    """Offers the names that traders use. All such filters of a request share one query."""

    column = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        names = _names_in_use(request)[self.parameter_name or ""]
        return [(name or DEFAULT, name or _("default")) for name in sorted(names)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TraderConfig]) -> QuerySet[TraderConfig]:
        name = self.value()
        return queryset.filter(**{self.column: "" if name == DEFAULT else name}) if name else queryset


class ExchangeFilter(NameFilter):
    title = _("exchange")
    parameter_name = "exchange"
    column = "exchange_provider"


class MarketFilter(NameFilter):
    title = _("market")
    parameter_name = "market"
    column = "market_provider"


class ModelFilter(NameFilter):
    title = _("model")
    parameter_name = "llm"
    column = "model"


class RetiredFilter(SimpleListFilter):
    title = _("retired")
    parameter_name = "retired"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Lookups:
        return [("no", _("in the fleet")), ("yes", _("retired"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TraderConfig]) -> QuerySet[TraderConfig]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(retired=self.value() == "yes")


def _names_in_use(request: Any) -> dict[str, set[str]]:
    if not hasattr(request, "names_in_use"):
        used = configs.names_in_use()
        request.names_in_use = {
            "exchange": used.exchange_providers,
            "market": used.market_providers,
            "llm": used.models,
        }
    names: dict[str, set[str]] = request.names_in_use
    return names
