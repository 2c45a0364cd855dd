"""Makes the demo step by step. Steps that are done already are skipped."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from demo import writer
from demo.sample.fleet import fleet_of
from demo.sample.plan import SamplePlan
from demo.sample.prices import price_paths
from traders.accounts.rules import Role
from traders.fleet import services as fleet_services
from traders.manager_yaml.bundle.writer import write_bundle
from traders.sync.export.services import bundle
from trading.live import services as live
from trading.live.redis.reads import now_us
from trading.schema.live_store.values import Price

PEOPLE = {
    "ada": ("Ada", "Osei", Role.OPERATOR),
    "mei": ("Mei", "Lin", Role.ADMIN),
    "tom": ("Tom", "Berg", Role.OPERATOR),
}
"""The accounts that the history names. None has a password, so a separate account is needed to log in."""


def generate(plan: SamplePlan, done: Callable[[int], None] = lambda count: None) -> dict[str, int]:
    """{table: rows}, all of them or none. `done` is called after each trader with the number so far.

    The traders share what capital the fleet has left. Raises TradersExist where one of the plan's ids is taken, and
    ValueError when the trades do not fit into the days or the traders into the capital.
    """
    free = fleet_services.overview().allocation.free_pct
    plan = dataclasses.replace(plan, capital_pct=min(plan.capital_pct, free))
    rows = writer.load(fleet_of(plan), plan, done)
    live.fleet_changed()
    return rows


def is_made() -> bool:
    """Whether the database holds any trader."""
    return bool(fleet_services.overview().traders)


def hire(since: datetime) -> None:
    """Makes the accounts that the history names, dated to the start of the sample."""
    users = get_user_model().objects
    for name, (first, last, role) in PEOPLE.items():
        facts = {"first_name": first, "last_name": last, "date_joined": since}
        user, made = users.get_or_create(username=name, defaults=facts)
        if made:
            user.set_unusable_password()
            user.save()
            user.groups.add(Group.objects.get(name=role.value))


def quote(plan: SamplePlan) -> None:
    """Writes the plan's last prices to the live store with the present time; `feed_demo` moves them on."""
    live.quoted(
        {
            symbol: Price(as_of=now_us(), price=path.price(plan.end_ms), provider="hyperliquid")
            for symbol, path in price_paths(plan).items()
        }
    )


def declare() -> Path | None:
    """Writes the fleet's manager.yaml and prompts where MANAGER_YAML says, so that it can be edited and synced.

    None where there is a file already.
    """
    path = Path(settings.MANAGER_YAML)
    if path.exists():
        return None
    found = bundle()
    path.parent.mkdir(parents=True, exist_ok=True)
    for known in (settings.BASE_DIR / "etc").glob("*.yaml"):
        if known.name != path.name:
            # Which providers, models and prompt versions there are; a sync is checked against it.
            shutil.copyfile(known, path.parent / known.name)
    write_bundle(path.parent, found.fleet, found.traders, found.prompts)
    return path
