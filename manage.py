#!/usr/bin/env python
"""Run a management command; the entry point of everything an operator types."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nof0site.settings")
    exit_in_order_on_signals()
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from django.db import Error

        from nof0site.embedded.errors import EmbeddedServerError
        from nof0site.postgresql import limits
    except ImportError as error:
        raise SystemExit(
            f"{error}. Run `make run`, or `pip install -r requirements.txt` in a virtual environment first."
        ) from error
    limits.use_for_command()
    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, EmbeddedServerError) as error:
        if "--traceback" in sys.argv:
            raise
        raise SystemExit(f"Error: {error}") from error
    except Error as error:
        if "--traceback" in sys.argv:
            raise
        from traders.management.refusal import database_words

        raise SystemExit(f"Error: {database_words(error)}") from error
    except BrokenPipeError:
        # The reader of the output, such as `head`, has closed it. Nothing more is written, not even at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(128 + signal.SIGPIPE) from None
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None


def exit_in_order_on_signals() -> None:
    """Turn SIGTERM and SIGHUP into a normal exit: the last user of the embedded servers stops them in atexit."""

    def leave(signum: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + signum)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


if __name__ == "__main__":
    main()
