"""Where prices come from: one module for each `type` of market.yaml, with a function `market` (docs/providers.md)."""
