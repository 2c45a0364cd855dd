"""Tags of forms whose text is kept as a draft: `{% draft %}` inside the form, `{% draft_notice %}` before it."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from traders.drafts.pages import id_for_form, is_posted, offered, opened, page_of

register = template.Library()


@register.simple_tag(takes_context=True)
def draft(context: Any, *, fresh: bool = False, page: str = "") -> SafeString:
    """The hidden input by which a form names its draft, and what drafts.js needs: whose draft it is, of which page, and
    whether the page shows what was typed before (`filled`).

    `fresh`: it does not, although it was posted to. `page`: where the form is opened, if not at this address.
    """
    request = context["request"]
    return format_html(
        '<input type="hidden" name="draft" value="{}" data-account="{}" data-page="{}"{}>',
        id_for_form(request),
        request.user.pk,
        page or page_of(request),
        SafeString(" data-filled") if is_posted(request) and not fresh else "",
    )


@register.inclusion_tag("traders/parts/draft_notice.html", takes_context=True)
def draft_notice(context: Any) -> dict[str, Any]:
    """What is said of drafts before a form: what was restored, what waits to be restored, and how to discard it."""
    request = context["request"]
    takes = getattr(request, "takes_drafts", False)
    found = offered(request) if takes else None
    return {
        "csrf_token": context.get("csrf_token"),
        "opened": opened(request),
        "offered": found,
        "offered_url": page_of(request, found.pk) if found else "",
        "takes": takes,
    }
