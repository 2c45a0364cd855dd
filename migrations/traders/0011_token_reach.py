"""API tokens get the scope write-fleet, and may be limited to named traders.

Tokens with write-config keep it for traders. It no longer covers the fleet settings, and no token is given write-fleet
here: that right is more than the role Operator has, so an admin gives it on purpose, with a new token.

Going back, a token must not be able to do more than before: one that is limited, or that has write-fleet only, is
revoked, because the older table cannot say what it may do.
"""

from __future__ import annotations

import django.contrib.postgres.fields
from django.db import migrations, models

_OLD = ["read-config", "write-config", "write-journal", "write-state"]
_NEW = ["read-config", "write-config", "write-fleet", "write-journal", "write-state"]

_TRIGGER = """
DROP TRIGGER IF EXISTS api_tokens_only_revoked ON api_tokens;
CREATE TRIGGER api_tokens_only_revoked BEFORE UPDATE ON api_tokens FOR EACH ROW
    WHEN (ROW({old}) IS DISTINCT FROM ROW({new})
        OR OLD.revoked_at IS NOT NULL AND ROW(OLD.revoked_at, OLD.revoked_by)
            IS DISTINCT FROM ROW(NEW.revoked_at, NEW.revoked_by))
    EXECUTE FUNCTION nof0_refuse_change('a token is used and revoked, nothing else of it changes');
"""


def _trigger(*columns: str) -> str:
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    return _TRIGGER.format(old=old, new=new)


_COLUMNS = ("id", "name", "digest", "hint", "scopes", "created_at", "created_by", "expires_at")

_NARROW = """
ALTER TABLE api_tokens DISABLE TRIGGER api_tokens_only_revoked;
UPDATE api_tokens SET revoked_at = now(), revoked_by = 'migration'
 WHERE revoked_at IS NULL AND (trader_ids IS NOT NULL OR scopes = '{write-fleet}');
UPDATE api_tokens SET scopes = CASE WHEN scopes = '{write-fleet}' THEN '{read-config}'::text[]
                                    ELSE array_remove(scopes, 'write-fleet') END
 WHERE 'write-fleet' = ANY (scopes);
ALTER TABLE api_tokens ENABLE TRIGGER api_tokens_only_revoked;
"""


def _scopes_known(scopes: list[str]) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=models.Q(scopes__contained_by=scopes, scopes__len__gte=1), name="api_tokens_scopes_known"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("traders", "0010_accounts"),
    ]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="trader_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), blank=True, null=True, size=None
            ),
        ),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.CheckConstraint(
                condition=models.Q(("trader_ids__isnull", True), ("trader_ids__len__gte", 1), _connector="OR"),
                name="api_tokens_limited_to_some",
            ),
        ),
        migrations.RemoveConstraint(model_name="apitoken", name="api_tokens_scopes_known"),
        migrations.AddConstraint(model_name="apitoken", constraint=_scopes_known(_NEW)),
        migrations.RunSQL(_trigger(*_COLUMNS, "trader_ids"), _NARROW + _trigger(*_COLUMNS)),
    ]
