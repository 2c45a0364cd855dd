"""The page of the signed link in a message: it acknowledges without a login, by a name that is typed there.

GET changes nothing, because mail servers and chat programs open links to look at them.
"""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from traders.schema.problems import InvalidConfig
from traders.words.messages import sentence
from trading.alarms import links, presentation, services
from trading.alarms.forms import LinkForm
from trading.models import Alarm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge_by_link(request: HttpRequest, token: str) -> HttpResponse:
    try:
        alarm = services.stored(links.alarm_of(token))
    except (links.BadLink, services.UnknownAlarm):
        return _page(request, None, status=HTTPStatus.NOT_FOUND)
    if request.method != "POST":
        return _page(request, alarm, LinkForm())
    form = LinkForm(request.POST)
    if form.is_valid():
        try:
            by, reason = f"{form.cleaned_data['name']} (link)", form.cleaned_data["reason"]
            alarm = services.acknowledge(alarm.pk, by=by, until=form.until, reason=reason)
        except InvalidConfig as invalid:
            for problem in invalid.problems:
                form.add_error("reason" if problem.path == "reason" else "name", sentence(problem))
        else:
            return _page(request, alarm)
    return _page(request, alarm, form)


def _page(
    request: HttpRequest, alarm: Alarm | None, form: LinkForm | None = None, status: int = HTTPStatus.OK
) -> HttpResponse:
    """Without a form: the alarm as it stands now."""
    context = {
        **admin.site.each_context(request),
        "title": presentation.rule_words(alarm.rule) if alarm else _("The link is no longer valid"),
        "alarm": alarm,
        "said": presentation.message_words(alarm) if alarm else "",
        "form": form if alarm and alarm.ended_at is None else None,
    }
    return TemplateResponse(request, "trading/alarm_link.html", context, status=status)
