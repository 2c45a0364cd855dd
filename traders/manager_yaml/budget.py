"""The `budget:` of llm.yaml: what the models of all traders may use in a day, and what a token costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from traders.manager_yaml.file_cache import FileCache
from traders.manager_yaml.neighbours import MODELS
from traders.manager_yaml.yaml.collect import YamlPlace
from traders.manager_yaml.yaml.document import AbsentFile, read_document
from traders.manager_yaml.yaml.mappings import Entries, describe, entries, is_null, key_text
from traders.manager_yaml.yaml.nodes import Mapping as MappingNode
from traders.manager_yaml.yaml.nodes import Scalar
from traders.manager_yaml.yaml.scalars import NUMBER
from traders.schema.messages import _

_LARGEST = Decimal(10) ** 15
_PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class ModelBudget:
    """Of all traders within the site's day. `tokens` 0: no limit. `alert_pct` of it raises an alarm; with `is_strict`
    the limit also holds the traders. `usd_per_million` is by the model's name."""

    tokens: int = 0
    alert_pct: Decimal = Decimal(100)
    is_strict: bool = False
    usd_per_million: Mapping[str, Decimal] = field(default_factory=dict)

    def cost_usd(self, model: str, tokens: int) -> Decimal | None:
        """What tokens of a model cost; None where llm.yaml names no price."""
        price = self.usd_per_million.get(model)
        return None if price is None else price * tokens / 1_000_000


def model_budget(directory: Path) -> ModelBudget:
    """What llm.yaml in `directory` says; no limits and no prices where it is absent or silent. Raises InvalidFile."""
    return _budget(directory / MODELS)


def _read(path: Path) -> ModelBudget:
    try:
        document = read_document(path)
    except AbsentFile:
        return ModelBudget()
    with document:
        found = entries(document.root, document.place)
        if "budget" not in found or is_null(found["budget"][1]):
            return ModelBudget()
        place = document.place.below("budget")
        key_node, section = found["budget"]
        if not isinstance(section, MappingNode):
            document.place.wrong(
                "budget", _("must be a mapping, was %(value)s", value=describe(section)), key_node.line
            )
            return ModelBudget()
        budget = entries(section, place)
        return ModelBudget(
            tokens=int(_number(budget, "daily_token_limit", place, Decimal(0), _LARGEST)),
            alert_pct=_number(budget, "alert_threshold_pct", place, _PERCENT, _PERCENT),
            is_strict=_is_true(budget, "strict_enforcement", place),
            usd_per_million=_prices(budget, place),
        )


_budget = FileCache(_read)


def _prices(budget: Entries, place: YamlPlace) -> dict[str, Decimal]:
    if "cost_per_million_tokens" not in budget or is_null(budget["cost_per_million_tokens"][1]):
        return {}
    key_node, section = budget["cost_per_million_tokens"]
    if not isinstance(section, MappingNode):
        right = _("must be a mapping of models to USD, was %(value)s", value=describe(section))
        place.wrong("cost_per_million_tokens", right, key_node.line)
        return {}
    below = place.below("cost_per_million_tokens")
    prices = entries(section, below)
    return {model: _number(prices, model, below, Decimal(0), _LARGEST) for model in prices}


def _number(section: Entries, key: str, place: YamlPlace, default: Decimal, most: Decimal) -> Decimal:
    if key not in section or is_null(section[key][1]):
        return default
    key_node, value = section[key]
    if isinstance(value, Scalar) and value.plain and NUMBER.fullmatch(value.value):
        number = Decimal(value.value)
        if 0 <= number <= most:
            return number
    right = _("must be a number from 0 to %(most)s, was %(value)s", most=f"{most:,f}", value=describe(value))
    place.wrong(key_text(key), right, key_node.line)
    return default


def _is_true(section: Entries, key: str, place: YamlPlace) -> bool:
    if key not in section or is_null(section[key][1]):
        return False
    key_node, value = section[key]
    if isinstance(value, Scalar) and value.plain and value.value.lower() in ("true", "false"):
        return value.value.lower() == "true"
    place.wrong(key, _("must be true or false, was %(value)s", value=describe(value)), key_node.line)
    return False
