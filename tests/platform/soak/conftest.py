from __future__ import annotations

import pytest

from tests.platform.soak.options import SoakOptions


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> SoakOptions:
    """How much a long run tries; it is printed, so that a run can be repeated."""
    options = SoakOptions.of(request.config)
    print(options)  # noqa: T201
    return options
