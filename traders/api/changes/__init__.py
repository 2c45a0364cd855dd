"""Changes since a cursor: at once, as soon as there is one, or as a stream of events."""
