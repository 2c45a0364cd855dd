"""What was typed into forms and previewed, until it is saved or discarded."""

from __future__ import annotations

import uuid

import django.contrib.postgres.functions
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from migrations.stored_rules import EARLIEST, LATEST


class Migration(migrations.Migration):
    dependencies = [
        ("traders", "0023_sessions_of_accounts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FormDraft",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("page", models.TextField()),
                ("version", models.IntegerField(null=True)),
                ("fields", models.JSONField(default=list)),
                ("saved_as", models.TextField(default="")),
                ("answer", models.TextField(default="")),
                (
                    "kept_at",
                    models.DateTimeField(db_default=django.contrib.postgres.functions.TransactionNow()),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "draft",
                "verbose_name_plural": "drafts",
                "db_table": "form_drafts",
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kept_at__gte", EARLIEST), ("kept_at__lte", LATEST)),
                        name="form_drafts_kept_at_is_a_moment",
                    )
                ],
            },
        ),
    ]
