"""What happened and what the world sees: positions, trades, decisions, and the documents made from them.

Depends on `traders`, which knows nothing of it.
"""
