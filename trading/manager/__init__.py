"""The manager: runs each trader from its stored configuration."""
