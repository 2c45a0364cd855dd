"""The engine API under /api/v1: what trading engines and tools read and write over HTTP.

Each endpoint parses, calls the service that the admin calls too, and answers. One router a subject; `application` puts
them together.
"""
