"""An invented fleet for demos, screenshots, tests and measurements. Plain Python.

The same plan makes the same records: every choice comes from `random.Random` with a seed of its own for each trader
and each symbol, so that one more trader changes nothing of the others.
"""
