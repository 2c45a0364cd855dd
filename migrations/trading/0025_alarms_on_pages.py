"""Alarms that are only shown on pages, and why one was acknowledged."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0024_indexes_that_grow_at_their_end"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="alarm",
            name="alarms_severity_known",
        ),
        migrations.RemoveConstraint(
            model_name="alarmrulechange",
            name="alarm_rules_severity_known",
        ),
        migrations.AddField(
            model_name="alarm",
            name="acknowledged_reason",
            field=models.TextField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="alarm",
            constraint=models.CheckConstraint(
                condition=models.Q(("severity__in", ["page", "notify", "show"])), name="alarms_severity_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="alarmrulechange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("severity__isnull", True), ("severity__in", ["page", "notify", "show", "off"]), _connector="OR"
                ),
                name="alarm_rules_severity_known",
            ),
        ),
    ]
