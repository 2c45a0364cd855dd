"""The demo: an invented fleet with an invented record, on a database of its own.

Installed only with NOF0_DEMO=1 and in the tests. It stands above the product: nothing imports it.
"""
