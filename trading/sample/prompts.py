"""The texts that the sample's traders are told to use."""

from __future__ import annotations

from functools import cache

from traders.schema.prompts import PromptText, read_prompt
from trading.sample.styles import EXECUTOR_PATH, STYLES, Style

_MANAGER = """{{{{/* Version: {version} */}}}}
{{{{/* Description: {name}, sample data */}}}}
ROLE: You direct a trader of perpetual contracts. {purpose}

RULES
{rules}

LIMITS
- At most {{{{ .Trader.RiskParams.MaxPositions }}}} positions of {{{{ .Trader.RiskParams.MaxPositionSizeUSD }}}} USD
- Confidence of at least {{{{ .Trader.RiskParams.MinConfidence }}}}

CONTEXT:
{{{{ .ContextJSON }}}}
"""

_EXECUTOR = """{{/* Version: v1.0.0 */}}
{{/* Description: one decision a symbol, sample data */}}
TIME {{ .CurrentTime }}
ACCOUNT {{ .AccountOverview }}
POSITIONS {{ .OpenPositions }}
MARKET {{ .MarketSnapshots }}

Decide for each candidate: {{ .CandidateCoins }}. Answer with a JSON array and nothing else.
"""


@cache
def executor_prompt() -> PromptText:
    return read_prompt(EXECUTOR_PATH, _EXECUTOR.encode())


@cache
def system_prompt(style: Style, *, revised: bool) -> PromptText:
    rules = style.revised if revised else style.rules
    text = _MANAGER.format(
        version="v1.1.0" if revised else "v1.0.0",
        name=style.name,
        purpose=style.purpose,
        rules="\n".join(f"{number}. {rule}" for number, rule in enumerate(rules, 1)),
    )
    return read_prompt(style.prompt_path, text.encode())


def all_prompts() -> list[PromptText]:
    return [executor_prompt()] + [
        system_prompt(style, revised=revised) for style in STYLES for revised in (False, True)
    ]
