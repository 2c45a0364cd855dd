"""Times as people read and type them, in the zone of their page."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from traders.schema.messages import MomentText, _
from traders.words.messages import translated
from traders.words.moments import MomentInput, clock_words, for_picker, read_moment, time_element
from traders.words.zones import exact

NOW = datetime(2026, 1, 8, 10, 30, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-08 18:30", "2026-01-08T10:30:00"),
        ("2026-01-08T18:30:15", "2026-01-08T10:30:15"),
        ("2026/1/8 18:30", "2026-01-08T10:30:00"),
        ("２０２６-０１-０８　１８：３０", "2026-01-08T10:30:00"),
        ("2026-01-08", "2026-01-07T16:00:00"),
        ("2026-01-08T18:30Z", "2026-01-08T18:30:00"),
        ("2026-01-08 18:30+01:00", "2026-01-08T17:30:00"),
    ],
)
def test_a_typed_moment_is_of_the_active_zone_unless_it_names_one(text: str, utc: str) -> None:
    with timezone.override(SHANGHAI):
        assert read_moment(text) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_a_time_alone_is_of_today_in_the_active_zone() -> None:
    with timezone.override(SHANGHAI):
        before, found, after = datetime.now(SHANGHAI), read_moment("00:00"), datetime.now(SHANGHAI)
        assert found is not None
        assert before.date() <= found.astimezone(SHANGHAI).date() <= after.date()
        assert found.astimezone(SHANGHAI).time() == time()


@pytest.mark.parametrize("text", ["2026", "1405", "yesterday", "2026-13-01", "0001-01-01x", "25:00", "12"])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValidationError, match="is no moment: write it like 2026-11-01 14:05"):
        read_moment(text)


def test_a_moment_to_come_is_refused_unless_the_field_takes_it() -> None:
    later = for_picker(datetime.now(UTC) + timedelta(hours=2))
    with pytest.raises(ValidationError, match="yet to come"):
        read_moment(later)
    assert read_moment(later, may_lie_ahead=True)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"])
def test_what_a_picker_shows_is_read_as_the_same_moment_through_a_change_of_the_clock(zone: str) -> None:
    begin = datetime(2025, 3, 1, tzinfo=UTC)
    with timezone.override(ZoneInfo(zone)):
        for half_hours in range(0, 300 * 48, 1 if zone == "Europe/Berlin" else 7):
            moment = begin + timedelta(minutes=30 * half_hours)
            if moment < datetime.now(UTC):
                assert read_moment(for_picker(moment)) == moment


def test_a_field_keeps_what_was_typed_and_turns_other_zones_into_its_own() -> None:
    with timezone.override(SHANGHAI):
        shown = MomentInput().format_value
        assert shown("2026-01-08") == "2026-01-08"
        assert shown("14:05") == "14:05"
        assert shown("nonsense") == "nonsense"
        assert shown("2026-01-08T10:30:00Z") == shown(NOW) == "2026-01-08 18:30"


def test_a_time_is_written_absolute_with_how_long_ago_beside_it() -> None:
    with timezone.override(SHANGHAI):
        element = time_element(NOW - timedelta(minutes=4), NOW)
        assert ">18:26, 4 min ago</time>" in element
        assert 'title="2026-01-08 18:26:00 UTC+8"' in element
        assert ">18:33, in 3 min</time>" in time_element(NOW + timedelta(minutes=3), NOW, may_lie_ahead=True)
        assert ">2025-11-09 18:30</time>" in time_element(NOW - timedelta(days=60), NOW)


def test_the_date_is_left_out_of_the_viewers_own_day() -> None:
    before = NOW - timedelta(hours=14)  # 20:30 of the day before in UTC, 04:30 of today in Shanghai
    assert clock_words(before, NOW) == "01-07 20:30"
    with timezone.override(SHANGHAI):
        assert clock_words(before, NOW) == "04:30"


def test_the_offset_is_written_because_short_names_of_zones_mean_several() -> None:
    for zone, ending in ((SHANGHAI, "UTC+8"), (ZoneInfo("America/St_Johns"), "UTC-3:30"), (UTC, "UTC")):
        with timezone.override(zone):
            assert exact(NOW).endswith(f" {ending}")


def test_a_moment_in_a_message_is_utc_for_programs_and_local_on_pages() -> None:
    message = _("until %(moment)s", moment=MomentText(NOW))
    assert message == "until 2026-01-08 10:30:00 UTC"
    with timezone.override(SHANGHAI):
        assert translated(message) == "until 2026-01-08 18:30:00 UTC+8"


def test_a_message_may_leave_out_the_seconds_of_a_moment() -> None:
    message = pickle.loads(pickle.dumps(_("until %(moment)s", moment=MomentText(NOW, has_seconds=False))))
    assert message == "until 2026-01-08 10:30 UTC"
    with timezone.override(SHANGHAI):
        assert translated(message) == "until 2026-01-08 18:30 UTC+8"
