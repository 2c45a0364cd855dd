"""What runs many traders at once: turns, the watch of stops, locks, threads."""
