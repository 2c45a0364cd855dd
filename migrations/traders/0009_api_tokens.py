"""API tokens: by what engines and tools prove who they are.

History names tokens, so none is ever deleted; and what one may do is settled when it is made.
"""

from __future__ import annotations

import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.functions.text
from django.db import migrations, models

TRIGGERS = """
CREATE TRIGGER api_tokens_never_deleted BEFORE DELETE OR TRUNCATE ON api_tokens
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('tokens are revoked, never deleted');

CREATE TRIGGER api_tokens_only_revoked BEFORE UPDATE ON api_tokens FOR EACH ROW
    WHEN (ROW(OLD.id, OLD.name, OLD.digest, OLD.hint, OLD.scopes, OLD.created_at, OLD.created_by, OLD.expires_at)
            IS DISTINCT FROM
          ROW(NEW.id, NEW.name, NEW.digest, NEW.hint, NEW.scopes, NEW.created_at, NEW.created_by, NEW.expires_at)
        OR OLD.revoked_at IS NOT NULL AND ROW(OLD.revoked_at, OLD.revoked_by)
            IS DISTINCT FROM ROW(NEW.revoked_at, NEW.revoked_by))
    EXECUTE FUNCTION nof0_refuse_change('a token is used and revoked, nothing else of it changes');
"""

DROP_TRIGGERS = """
DROP TRIGGER api_tokens_only_revoked ON api_tokens;
DROP TRIGGER api_tokens_never_deleted ON api_tokens;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("traders", "0008_paths_of_sets"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("digest", models.TextField()),
                ("hint", models.TextField()),
                ("scopes", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ("created_at", models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow())),
                ("created_by", models.TextField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_by", models.TextField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "API token",
                "verbose_name_plural": "API tokens",
                "db_table": "api_tokens",
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("revoked_at__isnull", True)),
                        name="api_tokens_name_ignoring_case",
                    ),
                    models.UniqueConstraint(fields=("digest",), name="api_tokens_digest"),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")),
                        name="api_tokens_name_form",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")), name="api_tokens_digest_form"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hint__regex", "^[A-Za-z0-9_-]{1,8}$")), name="api_tokens_hint_form"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("scopes__contained_by", ["read-config", "write-config", "write-journal", "write-state"]),
                            ("scopes__len__gte", 1),
                        ),
                        name="api_tokens_scopes_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_at__isnull", True), ("expires_at__gt", models.F("created_at")), _connector="OR"
                        ),
                        name="api_tokens_expire_later",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("revoked_at__isnull", True), ("revoked_by__isnull", True)),
                            models.Q(("revoked_at__isnull", False), ("revoked_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="api_tokens_revoked_by_somebody",
                    ),
                ],
            },
        ),
        migrations.RunSQL(TRIGGERS, DROP_TRIGGERS),
    ]
