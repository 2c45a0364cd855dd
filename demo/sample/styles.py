"""The strategies of the sample: symbols, style, model and prompt of each trader."""

from __future__ import annotations

from dataclasses import dataclass

from demo.sample.prices import MARKETS, Market

EXECUTOR_PATH = "prompts/executor/one_per_symbol.tmpl"
SYMBOLS = 3


@dataclass(frozen=True)
class Style:
    """`rules` and `revised` are the words of its prompt's first and second version."""

    key: str
    name: str
    purpose: str
    model: str
    max_position_size_usd: int
    major_leverage: int
    alt_leverage: int
    min_risk_reward: str
    min_confidence: int
    rules: tuple[str, ...]
    revised: tuple[str, ...]

    @property
    def prompt_path(self) -> str:
        return f"prompts/manager/{self.key}.tmpl"


STYLES = (
    Style(
        *("momentum", "Momentum", "Follows a trend while it is intact.", "gpt-5", 3_000, 10, 5, "1.5", 60),
        ("Call a trend only when the 1h and 4h changes agree.", "Enter on a pullback that held."),
        ("Call a trend only when the 1h and 4h changes agree.", "Leave at the first lower high; never widen a stop."),
    ),
    Style(
        *("reversion", "Range Reversion", "Fades moves that ran too far.", "deepseek-chat", 2_000, 8, 4, "1.2", 55),
        ("Act only inside a range of two days.", "Sell the upper fifth, buy the lower fifth."),
        ("Act only inside a range of two days.", "Stay flat when funding is on the side of the move."),
    ),
    Style(
        *("breakout", "Breakout", "Buys strength after a quiet spell.", "claude-sonnet-4.5", 2_500, 12, 6, "2", 65),
        ("Wait for three quiet hours.", "Enter when the range breaks with rising open interest."),
        ("Wait for six quiet hours.", "Enter on the retest, not on the break itself."),
    ),
    Style(
        *("funding", "Funding Contrarian", "Takes the side that is paid.", "deepseek-chat", 1_500, 6, 3, "1.5", 60),
        ("Take the side that funding pays.", "Close when funding turns."),
        ("Take the side that funding pays.", "Close when funding turns or the trend runs against it for four hours."),
    ),
    Style(
        *("swing", "Swing", "Holds for a day or two around levels.", "gpt-5", 3_500, 5, 3, "2", 70),
        ("Mark the highs and lows of the week.", "Enter near a level, with the stop behind it."),
        ("Mark the highs and lows of the week.", "Halve the size when two positions are open already."),
    ),
    Style(
        *("scalper", "Scalper", "Takes small moves with tight stops.", "claude-sonnet-4.5", 1_200, 15, 8, "1.1", 50),
        ("Take moves of half a per cent.", "Leave after an hour, whatever the result."),
        ("Take moves of half a per cent.", "Skip a trade whose commission eats a fifth of the target."),
    ),
)


@dataclass(frozen=True)
class Persona:
    """A sample trader: id, strategy, and symbols, the home symbol first."""

    id: str
    name: str
    style: Style
    markets: tuple[Market, ...]


def persona(index: int) -> Persona:
    """The trader with this number (from 0). Ids are unique."""
    style = STYLES[index % len(STYLES)]
    round_, lap = index // len(STYLES), index // (len(STYLES) * len(MARKETS))
    home = (index + round_) % len(MARKETS)
    markets = tuple(MARKETS[(home + step) % len(MARKETS)] for step in range(SYMBOLS))
    symbol, number = markets[0].symbol, lap + 1
    return Persona(
        f"{style.key}_{symbol.lower()}" + (f"_{number}" if lap else ""),
        f"{style.name} {symbol}" + (f" {number}" if lap else ""),
        style,
        markets,
    )
