"""The page of one trader, to read: its settings, what it does, how it does, and who touched it."""
