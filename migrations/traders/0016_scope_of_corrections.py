"""API tokens get the scope write-corrections.

Going back, tokens that have it lose it, and those with no other scope are revoked.
"""

from __future__ import annotations

from django.db import migrations, models

_OLD = ["read-config", "write-config", "write-fleet", "write-journal", "write-state"]
_NEW = [*_OLD, "write-corrections"]
_NARROW = """
ALTER TABLE api_tokens DISABLE TRIGGER api_tokens_only_revoked;
UPDATE api_tokens SET revoked_at = now(), revoked_by = 'migration'
 WHERE revoked_at IS NULL AND scopes = '{write-corrections}';
UPDATE api_tokens SET scopes = CASE WHEN scopes = '{write-corrections}' THEN '{read-config}'::text[]
                                    ELSE array_remove(scopes, 'write-corrections') END
 WHERE 'write-corrections' = ANY (scopes);
ALTER TABLE api_tokens ENABLE TRIGGER api_tokens_only_revoked;
"""


def _scopes_known(scopes: list[str]) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=models.Q(scopes__contained_by=scopes, scopes__len__gte=1), name="api_tokens_scopes_known"
    )


class Migration(migrations.Migration):
    dependencies = [("traders", "0015_refused_by_the_clock")]

    operations = [
        migrations.RemoveConstraint(model_name="apitoken", name="api_tokens_scopes_known"),
        migrations.AddConstraint(model_name="apitoken", constraint=_scopes_known(_NEW)),
        # The constraint of before comes back after this: operations are taken back in reverse order.
        migrations.RunSQL(migrations.RunSQL.noop, _NARROW),
    ]
