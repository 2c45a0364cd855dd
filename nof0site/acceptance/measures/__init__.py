"""One function for each measured line, by subject. Each takes nothing and returns a Measured."""
