"""Traders for imported records: they give the records an owner and are never started."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.conf import settings

from traders.manager_yaml.file import InvalidFile, KnownNames
from traders.manager_yaml.neighbours import known_names
from traders.prompt_texts import writer as prompts
from traders.schema.paths import Flat
from traders.schema.prompts import PromptFile, read_prompt
from traders.schema.settings.stored import NewVersion
from traders.versions.edit.services import validated
from traders.versions.lock import locked_fleet
from traders.versions.reason import required_reason

SOURCE = "import"
UNKNOWN = "imported"
_HARMLESS = ("paper", "sim", "test")
_PROMPT = "{{/* Version: %s */}}\nThe prompts of this trader are not known: only records of it were imported.\n"


def add_imported(*, descriptions: Mapping[str, str], reason: str, actor: str) -> None:
    """Adds these traders without capital, not to be started, under the tightest limits, as one change set.

    `descriptions` is {trader: its description}. They must be new, ignoring case, too. Takes part in the caller's
    transaction. Raises InvalidConfig.
    """
    if not descriptions:
        return
    given = required_reason(reason)
    known = _known()
    prompt = _prompt(known)
    with locked_fleet() as fleet:
        prompts.keep([prompt])
        versions = [
            NewVersion(validated(name, _config(name, description, prompt, known)), 0, (), given)
            for name, description in sorted(descriptions.items())
        ]
        fleet.write(versions, source=SOURCE, actor=actor)


def _config(trader_id: str, description: str, prompt: PromptFile, known: KnownNames) -> Flat:
    return {
        "exchange_provider": _provider(known.exchange_providers),
        "market_provider": _provider(known.market_providers),
        "allocation_pct": Decimal(0),
        "detail.display_name": f"{trader_id} (imported)",
        "detail.description": description,
        "detail.auto_start": False,
        **{
            f"detail.prompts.{part}_{leaf}": value
            for part in ("system", "executor")
            for leaf, value in (("template", prompt.path), ("version", prompt.version), ("sha256", prompt.sha256))
        },
        "detail.risk.max_positions": 1,
        "detail.risk.max_position_size_usd": Decimal(1),
        "detail.risk.major_coin_leverage": 1,
        "detail.risk.altcoin_leverage": 1,
        "detail.risk.min_risk_reward_ratio": Decimal(1),
        "detail.risk.min_confidence": 100,
        "detail.risk.stop_loss_enabled": True,
    }


def _provider(names: tuple[str, ...] | None) -> str:
    """A provider that a sync of the export accepts, if possible one without real money."""
    if not names:
        return UNKNOWN
    return next((name for name in names if any(word in name for word in _HARMLESS)), names[0])


def _prompt(known: KnownNames) -> PromptFile:
    version = (known.prompt_rules.expected_version if known.prompt_rules else "") or "v1.0.0"
    return read_prompt(f"prompts/imported/not_known_{version}.tmpl", (_PROMPT % version).encode())


def _known() -> KnownNames:
    """Without known names if a file of names is not valid: records can be imported all the same."""
    try:
        return known_names(settings.MANAGER_YAML.parent)
    except InvalidFile:
        return KnownNames()
