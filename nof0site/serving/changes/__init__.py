"""Clients of `/api/v1/changes` that wait: held by the event loop, where each costs memory and no thread."""
