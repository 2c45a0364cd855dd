"""Every moment of the tables lies in the years 2010 to 2099, and an engine reports a version that exists.

Infinity and times in a wrong unit lie outside. Rows from before that break a rule are listed and do not stop the
migration.
"""

from __future__ import annotations

from django.db import migrations, models

from migrations.stored_rules import check_rows_from_before, moment

# django-simple-history makes the models of these two: their constraints are not declared there.
VERSIONS = ("trader_config_versions", "manager_config_versions")
MOMENTS = ("history_date", "created_at", "updated_at")
VERSION_MOMENTS = "".join(
    f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_is_a_moment"
    f" CHECK ({column} BETWEEN '2010-01-01 00:00:00+00' AND '2100-01-01 00:00:00+00') NOT VALID;\n"
    for table in VERSIONS
    for column in MOMENTS
)
DROP_VERSION_MOMENTS = "".join(
    f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_is_a_moment;\n" for table in VERSIONS for column in MOMENTS
)

# Of two columns, which Django cannot declare. NULL: no engine has reported.
REPORTED_VERSION = """
ALTER TABLE trader_runtime_state ADD CONSTRAINT trader_runtime_state_version_fk
    FOREIGN KEY (trader_id, active_config_version) REFERENCES trader_config_versions (id, version)
    DEFERRABLE INITIALLY DEFERRED NOT VALID;
"""
DROP_REPORTED_VERSION = "ALTER TABLE trader_runtime_state DROP CONSTRAINT trader_runtime_state_version_fk;"

# Details of engines' reports and of cooldowns: numbers are JSON numbers, never a text such as "NaN", and moments texts
# of those years.
_NO_NUMBER = '(@.{leaf}.type() != "number" && @.{leaf}.type() != "null") || @.{leaf} < -1e15 || @.{leaf} > 1e15'
_NO_MOMENT = '(@.{leaf}.type() != "string" && @.{leaf}.type() != "null") || !(@.{leaf} like_regex "^20[1-9][0-9]-")'
DETAILS = {
    "trader_runtime_state": {
        "allocation": [_NO_NUMBER, "equity_usd", "used_margin_usd", "available_margin_usd"],
        "performance": [_NO_NUMBER, "sharpe_ratio", "total_pnl_usd"],
        "decision": [_NO_MOMENT, "last_at", "next_at"],
        "pause": [_NO_MOMENT, "until"],
        "last_error": [_NO_MOMENT, "at"],
    },
    "trader_symbol_cooldowns": {
        "figures": [_NO_NUMBER, "consecutive_losses", "last_loss_pnl"],
        "moments": [_NO_MOMENT, "triggered_at", "last_position_closed"],
    },
}


def _path(part: str) -> str:
    """The figures and moments of a cooldown lie in its detail itself."""
    return "$" if part in ("figures", "moments") else f"$.{part}"


def _broken(leaf: str, test: str) -> str:
    # A leaf that is not there has no type, and the comparison is not true. like_regex of null is unknown, not false.
    return f"(exists(@.{leaf}) && ({test.format(leaf=leaf)}))"


def _detail_check(table: str, part: str, test: str, *leaves: str) -> str:
    tests = " || ".join(_broken(leaf, test) for leaf in leaves)
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_{part}_can_be_read"
        f" CHECK (NOT detail @? '{_path(part)} ? ({tests})') NOT VALID;\n"
    )


DETAIL_CHECKS = "".join(
    _detail_check(table, part, *leaves) for table, parts in DETAILS.items() for part, leaves in parts.items()
)
DROP_DETAIL_CHECKS = "".join(
    f"ALTER TABLE {table} DROP CONSTRAINT {table}_{part}_can_be_read;\n"
    for table, parts in DETAILS.items()
    for part in parts
)

# A token whose times are from before the rule can still be revoked.
_REVOKED, _TOKEN_MOMENTS = models.Q(revoked_at__isnull=False), ("created_at", "expires_at", "last_used_at")
COLUMNS = (
    ("traderconfig", "trader_config", "created_at"),
    ("traderconfig", "trader_config", "updated_at"),
    ("managerconfig", "manager_config", "created_at"),
    ("managerconfig", "manager_config", "updated_at"),
    ("traderruntimestate", "trader_runtime_state", "updated_at"),
    ("tradersymbolcooldown", "trader_symbol_cooldowns", "cooldown_until"),
    ("tradersymbolcooldown", "trader_symbol_cooldowns", "created_at"),
    ("yamlbase", "yaml_base", "synced_at"),
    ("syncconflict", "sync_conflicts", "seen_at"),
    ("prompttext", "prompt_texts", "first_seen_at"),
)
TABLES = (
    *("trader_config", "trader_config_versions", "manager_config", "manager_config_versions", "prompt_texts"),
    *("trader_runtime_state", "trader_symbol_cooldowns", "yaml_base", "sync_conflicts", "api_tokens"),
)


class Migration(migrations.Migration):
    dependencies = [("traders", "0012_order_of_commits")]

    operations = [
        *(moment("apitoken", "api_tokens", column, unless=_REVOKED) for column in _TOKEN_MOMENTS),
        moment("apitoken", "api_tokens", "revoked_at"),
        *(moment(model, table, column) for model, table, column in COLUMNS),
        migrations.RunSQL(VERSION_MOMENTS, DROP_VERSION_MOMENTS),
        migrations.RunSQL(REPORTED_VERSION, DROP_REPORTED_VERSION),
        migrations.RunSQL(DETAIL_CHECKS, DROP_DETAIL_CHECKS),
        check_rows_from_before(TABLES),
    ]
