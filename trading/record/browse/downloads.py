"""What a list's filter matches, as a file that is sent while it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.http import HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from traders.pages.csv_text import download
from trading.record.browse.admin import filter_form
from trading.record.browse.listings import RecordListing
from trading.record.browse.queries import RecordFilter
from trading.record.browse.services import ExportedColumns, csv_lines, json_lines
from trading.record.pages import RecordPage

Writer = Callable[[ExportedColumns, RecordFilter], Iterator[str]]
FORMATS: dict[str, tuple[Writer, str]] = {
    "csv": (csv_lines, "text/csv; charset=utf-8"),
    "json": (json_lines, "application/json"),
}


def export_view(page: RecordPage, listing: RecordListing, file_format: str) -> HttpResponseBase:
    """Back to the list, which says what is wrong, where the filter cannot be understood."""
    form = filter_form(page.request.GET, listing)
    if not form.is_valid():
        return HttpResponseRedirect(f"{page.list_url}?{page.request.GET.urlencode()}")
    write, content_type = FORMATS[file_format]
    where = form.where()
    exported = listing.exported.marked() if where.aside else listing.exported
    lines = write(exported, where)
    response = StreamingHttpResponse(download(lines) if file_format == "csv" else lines, content_type=content_type)
    name = f"{listing.exported.table.name}-{timezone.now():%Y-%m-%d}.{file_format}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
