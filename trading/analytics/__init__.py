"""Performance as pure functions over facts. What is undefined is None, never 0 or infinity."""
