"""Preferences of accounts: time zone, colours of gains and losses, language."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("traders", "0026_second_factors"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountPreferences",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="preferences",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("zone", models.TextField(blank=True, db_default="", default="")),
                (
                    "colours",
                    models.TextField(
                        choices=[("green_up", "Green up, red down"), ("red_up", "Red up, green down")],
                        db_default="green_up",
                        default="green_up",
                    ),
                ),
                ("language", models.TextField(blank=True, db_default="", default="")),
            ],
            options={
                "db_table": "account_preferences",
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("colours__in", ["green_up", "red_up"])),
                        name="account_preferences_colours_are_known",
                    )
                ],
            },
        ),
    ]
