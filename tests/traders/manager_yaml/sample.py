"""A small manager.yaml with everything beside it, to be spoilt in one place per test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from traders.manager_yaml.file import InvalidFile, ManagerFile
from traders.manager_yaml.reader import read_manager_yaml

Read = Callable[..., ManagerFile]

MANAGER = """\
manager:
  total_equity_usd: 10000
  reserve_equity_pct: 10
  state_storage_backend: file
  state_storage_path: ../data/state.json
traders:
  - id: trader_x
    name: Long
    exchange_provider: paper
    market_provider: hyperliquid
    prompt_template: prompts/long.tmpl
    executor_prompt_template: prompts/executor.tmpl
    model: gpt-5
    decision_interval: 3m
    allocation_pct: 40
    risk_params:
      max_positions: 3
      max_position_size_usd: 500
      major_coin_leverage: 20
      altcoin_leverage: 10
      min_risk_reward_ratio: 3.0
monitoring:
  metrics_exporter: prometheus
"""
SECOND = MANAGER[MANAGER.index("  - id:") : MANAGER.index("monitoring:")].replace("trader_x", "trader_y")

NEIGHBOURS = {
    "exchange.yaml": "providers:\n  paper: {type: sim}\n  testnet: {type: hyperliquid, private_key: '${KEY}'}\n",
    "market.yaml": "providers:\n  hyperliquid: {timeout: 8s}\n",
    "llm.yaml": "api_key: ${KEY}\nmodels:\n  gpt-5: {provider: openai}\n  deepseek-chat: {}\n",
    "executor.yaml": "prompt_schema_version: v1.0.0\n"
    "prompt_validation:\n  strict_mode: true\n  require_version_header: true\n",
    "prompts/long.tmpl": "{{/* Version: v1.0.0 */}}\nBuy low.\n",
    "prompts/executor.tmpl": "{{/* Version: v1.0.0 */}}\nDecide.\n",
}


def line_of(text: str, words: str) -> int:
    """The line, from 1, of the first occurrence."""
    return text[: text.index(words)].count("\n") + 1


def write_sample(directory: Path, manager: str | bytes = MANAGER, **neighbours: str | None) -> Path:
    """Writes the sample; `executor_yaml="..."` replaces a neighbour, None leaves it out. Gives manager.yaml's path."""
    files = {**NEIGHBOURS, **{name.replace("_yaml", ".yaml"): text for name, text in neighbours.items()}}
    for name, text in files.items():
        if text is not None:
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_text(text)
    path = directory / "manager.yaml"
    path.write_bytes(manager.encode() if isinstance(manager, str) else manager)
    return path


def refused(path: Path) -> str:
    """What reading says, without the directory. Fails when the file is accepted."""
    with pytest.raises(InvalidFile) as caught:
        read_manager_yaml(path)
    return str(caught.value).replace(f"{path.parent}/", "")
