"""From a request's header lines to the entries of WSGI's environment.

WSGI writes `X-Forwarded-For` and `X_Forwarded_For` under the same key. A client that sends the second one beside the
proxy's first could replace it. So the rule is applied here, where the names are still known as they were sent.
"""

from __future__ import annotations

from collections.abc import Iterable

# The names that CGI does not prefix.
WITHOUT_PREFIX = ("CONTENT_TYPE", "CONTENT_LENGTH")
# The proxy nearest to the site writes the last line, and a client's own line may stand before it.
LAST_LINE_ONLY = ("X_FORWARDED_PROTO",)


def is_passed_on(name: str) -> bool:
    """Whether a header reaches the application: its name has no underscore. nginx and runserver drop the same ones."""
    return "_" not in name


def wsgi_headers(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """{key of WSGI's environment: value} of (name, value) in the order they came; names in any case.

    Lines of the same name are joined by commas (cookies by semicolons), as RFC 9110 defines it, so that no proxy's
    entry of X-Forwarded-For is lost.
    """
    entries: dict[str, str] = {}
    for name, value in lines:
        if not is_passed_on(name):
            continue
        key = name.upper().replace("-", "_")
        separator = "; " if key == "COOKIE" else ", "
        if key not in WITHOUT_PREFIX:
            is_replaced = key in LAST_LINE_ONLY
            key = f"HTTP_{key}"
        else:
            is_replaced = False
        entries[key] = value if is_replaced or key not in entries else f"{entries[key]}{separator}{value}"
    return entries
