"""Control plane: the configuration of each trader, and every version of it."""
