"""What a browser does with our pages, without a browser."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client

from traders.schema.settings.fleet import FLEET_ID
from traders.versions import services as configs
from traders.versions.edit.forms.config import ConfigForm, posted
from traders.versions.edit.names import choices
from traders.versions.rules.proposal import settings_of

TRADERS = "/admin/traders/traderconfig/"
FLEET = "/admin/traders/managerconfig/1/"
STEADY = f"{TRADERS}steady_long/"


def form_data(config_id: str = "steady_long", *, reason: str = "because", **typed: Any) -> dict[str, Any]:
    """What posting the opened form of a configuration sends, with `typed` (dots as __) changed. None leaves out."""
    stored = configs.existing(config_id)
    form = ConfigForm(settings=settings_of(config_id), base=stored.flat, known=choices())
    data = posted(form, stored.flat) | {"reason": reason, "expected_version": str(stored.version), "step": "preview"}
    data |= {name.replace("__", "."): value for name, value in typed.items()}
    return {name: value for name, value in data.items() if value is not None}


def change_url(config_id: str) -> str:
    return f"{FLEET}change/" if config_id == FLEET_ID else f"{TRADERS}{config_id}/change/"


def hidden_fields(page: Any) -> dict[str, list[str]]:
    """The hidden inputs of a page, to be posted again."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.content.decode()):
        found.setdefault(html.unescape(name), []).append(html.unescape(value))
    return found


# `10:30, 4 min ago`: what o'clock it was changes from run to run.
CLOCK = re.compile(r"\b(?:\d\d-\d\d )?\d\d:\d\d, (?=just now|\d+ (?:min|h|days?) ago|in \d+)")


def text_of(page: Any) -> str:
    """What a person reads, without the times of day that stand before how long ago they were."""
    content = page.content.decode()
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", content[content.index("<body") :], flags=re.S)
    return CLOCK.sub("", " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split()))


def save(client: Client, config_id: str = "steady_long", **typed: Any) -> Any:
    """Types, previews and saves; the page that the save leads to."""
    preview = client.post(change_url(config_id), form_data(config_id, **typed))
    assert preview.status_code == 200, preview.status_code
    return client.post(change_url(config_id), hidden_fields(preview) | {"step": "save"}, follow=True)
