"""Tags that draw the charts of traders/charts.py."""

from __future__ import annotations

from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from traders.charts import BarList, TimeChart

register = template.Library()


@register.simple_tag
def chart_assets() -> SafeString:
    """For the head of a page that has charts."""
    return format_html(
        '<link rel="stylesheet" href="{}"><link rel="stylesheet" href="{}">'
        '<script src="{}" defer></script><script src="{}" defer></script>',
        static("traders/uplot/uPlot.min.css"),
        static("traders/charts.css"),
        static("traders/uplot/uPlot.iife.min.js"),
        static("traders/charts.js"),
    )


@register.inclusion_tag("traders/parts/time_chart.html")
def time_chart(chart: TimeChart) -> dict[str, Any]:
    return {"chart": chart, "data_id": f"{chart.id}-data", "zone": timezone.get_current_timezone_name()}


@register.inclusion_tag("traders/parts/bar_list.html")
def bar_list(bars: BarList) -> dict[str, Any]:
    return {"bars": bars}
