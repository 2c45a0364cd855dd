"""How traders did: pure functions over the facts of `trading.schema.facts`. docs/analytics.md gives every formula."""
