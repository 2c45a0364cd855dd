"""The prompts of the sample traders."""

from __future__ import annotations

from functools import cache

from demo.sample.styles import EXECUTOR_PATH, STYLES, Style
from traders.schema.prompts import PromptFile, read_prompt

_MANAGER = """{{{{/* Version: v1.0.0 */}}}}
{{{{/* Description: {name} */}}}}
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
{{/* Description: one decision a symbol */}}
TIME {{ .CurrentTime }}
ACCOUNT {{ .AccountOverview }}
POSITIONS {{ .OpenPositions }}
MARKET {{ .MarketSnapshots }}

Decide for each candidate: {{ .CandidateCoins }}. Answer with a JSON array and nothing else.
"""


@cache
def executor_prompt() -> PromptFile:
    return read_prompt(EXECUTOR_PATH, _EXECUTOR.encode())


@cache
def system_prompt(style: Style, *, revised: bool) -> PromptFile:
    rules = style.revised if revised else style.rules
    text = _MANAGER.format(
        name=style.name,
        purpose=style.purpose,
        rules="\n".join(f"{number}. {rule}" for number, rule in enumerate(rules, 1)),
    )
    return read_prompt(style.prompt_path, text.encode())


@cache
def all_prompts() -> dict[str, PromptFile]:
    """{sha256: text} of every prompt that a version may name."""
    texts = [executor_prompt()] + [
        system_prompt(style, revised=revised) for style in STYLES for revised in (False, True)
    ]
    return {text.sha256: text for text in texts}
