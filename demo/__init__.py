"""The demo: a desk of our own making with the record it would have, on a database of its own.

Installed only with NOF0_DEMO=1 and in the tests. It stands above the product: nothing imports it.
"""
