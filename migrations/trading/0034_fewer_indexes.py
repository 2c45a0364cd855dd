"""Ids of traders and names of rules are compared, never searched by prefix."""

from __future__ import annotations

from django.db import migrations

from migrations.dropped_indexes import dropped

FOR_PREFIXES = {
    "guard_peaks_trader_id_93b090f9_like": "guard_peaks (trader_id text_pattern_ops)",
    "manager_cycles_trader_id_d8de8cdf_like": "manager_cycles (trader_id text_pattern_ops)",
    "alarm_rules_rule_27251ea7_like": "alarm_rules (rule text_pattern_ops)",
}


class Migration(migrations.Migration):
    dependencies = [("trading", "0033_transfers_not_ahead_of_the_clock")]

    operations = [dropped(FOR_PREFIXES)]
