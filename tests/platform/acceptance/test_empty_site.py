from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings as SettingsWrapper

from nof0site.acceptance import services
from nof0site.acceptance.lines import LINES
from nof0site.acceptance.rules import LineVerdict


@pytest.mark.django_db
@pytest.mark.plain
def test_only_the_export_fails_on_an_empty_site(settings: SettingsWrapper, tmp_path: Path) -> None:
    settings.EXPORT_DIR = tmp_path
    found = {result.line.id: result for result in services.measured(LINES)}

    assert [name for name, one in found.items() if "Not measured" in one.measured.figure] == []
    assert {name for name, one in found.items() if one.is_fail} == {"P6.2", "P6.3", "F.5"}
    assert {name for name, one in found.items() if one.measured.verdict is LineVerdict.NOT_APPLICABLE} >= {
        *("P1.2", "P1.3", "P2.2", "P5.3", "F.1", "F.9")
    }
