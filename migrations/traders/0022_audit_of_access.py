"""The audit of access. An entry never changes, and is deleted only when its own `keep_until` is over."""

from __future__ import annotations

import datetime

import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models

RULES = """
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('what was written stays as it is');
CREATE TRIGGER audit_entries_kept BEFORE DELETE ON audit_entries
    FOR EACH ROW WHEN (OLD.keep_until > clock_timestamp())
    EXECUTE FUNCTION nof0_refuse_change('an entry is kept until its keep_until');
"""
DROP_RULES = """
DROP TRIGGER audit_entries_append_only ON audit_entries;
DROP TRIGGER audit_entries_kept ON audit_entries;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("traders", "0021_pins_within_the_sum"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("kind", models.TextField()),
                ("actor", models.TextField()),
                ("account_id", models.BigIntegerField(blank=True, null=True)),
                ("address", models.TextField(blank=True, null=True)),
                ("subject", models.TextField(blank=True, db_default="", default="")),
                ("text", models.TextField(blank=True, db_default="", default="")),
                ("keep_until", models.DateTimeField()),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit of access",
                "db_table": "audit_entries",
                "default_permissions": ("view",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", ""), _negated=True), models.Q(("actor", ""), _negated=True)
                        ),
                        name="audit_entries_says_who",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "keep_until__gte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("at"), "+", models.Value(datetime.timedelta(days=29))
                                ),
                            )
                        ),
                        name="audit_entries_kept_a_month",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="audit_entries_at_is_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("keep_until__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("keep_until__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="audit_entries_keep_until_is_a_moment",
                    ),
                ],
            },
        ),
        migrations.RunSQL(RULES, DROP_RULES),
    ]
