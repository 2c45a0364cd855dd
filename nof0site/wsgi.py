"""The WSGI application, for any WSGI server; `serve` loads `nof0site.asgi`, which asks this one's parts."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application

from nof0site.postgresql import limits
from nof0site.read_api import with_read_api
from nof0site.serving.limited import LimitedApplication
from nof0site.serving.policy import body_policy

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nof0site.settings")
limits.use_for_pages()

read_api = with_read_api(get_wsgi_application())
policy = body_policy()
application = LimitedApplication(read_api, policy)

# What is loaded by now stays loaded; a request that reads a thousand configurations would have it walked for garbage
# many times. What a request leaves behind is freed without the collector but for cycles, which may pile up a little.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 20)
