"""API tokens get the scopes control and stop.

Going back, tokens that have them lose them, and those with no other scope are revoked.
"""

from __future__ import annotations

from django.db import migrations, models

_OLD = ["read-config", "write-config", "write-fleet", "write-journal", "write-state", "write-corrections"]
_NEW = [*_OLD, "control", "stop"]
_NARROW = """
ALTER TABLE api_tokens DISABLE TRIGGER api_tokens_only_revoked;
UPDATE api_tokens SET revoked_at = now(), revoked_by = 'migration'
 WHERE revoked_at IS NULL AND scopes <@ '{control,stop}';
UPDATE api_tokens SET scopes = CASE WHEN scopes <@ '{control,stop}' THEN '{read-config}'::text[]
                                    ELSE array_remove(array_remove(scopes, 'control'), 'stop') END
 WHERE scopes && '{control,stop}';
ALTER TABLE api_tokens ENABLE TRIGGER api_tokens_only_revoked;
"""


def _scopes_known(scopes: list[str]) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=models.Q(scopes__contained_by=scopes, scopes__len__gte=1), name="api_tokens_scopes_known"
    )


class Migration(migrations.Migration):
    dependencies = [("traders", "0018_generated_columns")]

    operations = [
        migrations.RemoveConstraint(model_name="apitoken", name="api_tokens_scopes_known"),
        migrations.AddConstraint(model_name="apitoken", constraint=_scopes_known(_NEW)),
        # The constraint of before comes again after this: operations are undone in reverse order.
        migrations.RunSQL(migrations.RunSQL.noop, _NARROW),
    ]
