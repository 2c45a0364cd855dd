"""The risk checks, one module a family. `trading.replay.rules.risk_checks` lists them in their order."""
