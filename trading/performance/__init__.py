"""How traders did in a period, for the page, its files and its charts: the figures of `trading.analytics`."""
