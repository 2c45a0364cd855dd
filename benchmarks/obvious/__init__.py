"""The obvious way to keep configurations with their history: a model, simple-history, `save()` per trader.

Its table has the columns, checks and indexes of `trader_config` but none of its triggers: the check of the fleet's
sum at every one of ten thousand commits would slow the obvious way beyond what its authors would put up with.
"""
