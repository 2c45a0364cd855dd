"""Wiring of the site: settings, URLs, the embedded servers and the commands that run it. No app imports it."""
