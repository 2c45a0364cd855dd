"""The risk checks, one module a family. `trading.rules.risk_checks` lists them in their order."""
