"""Exit code 0 if the site on this machine answers requests: `python deploy/answers.py [PORT]`.

It is asked as a proxy asks it, by the first name of ALLOWED_HOSTS. Any answer but a fault of the server will do.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

PORT = sys.argv[1] if len(sys.argv) > 1 else "8000"
HOST = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().removeprefix(".")

asked = urllib.request.Request(
    f"http://127.0.0.1:{PORT}/api/health", headers={"Host": HOST, "X-Forwarded-Proto": "https"}
)
try:
    urllib.request.urlopen(asked, timeout=5).close()
except urllib.error.HTTPError as error:
    if error.code >= 500 or error.code == 400:
        sys.exit(f"The site answers {error.code}.")
except OSError as error:
    sys.exit(f"The site does not answer: {error}")
