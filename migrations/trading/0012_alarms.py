"""Alarms, what is sent of them, where to, and the rules that a site changed."""

from __future__ import annotations

import datetime

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models

import traders.schema.jsonio

NEVER_DELETED = """
CREATE TRIGGER alarms_never_deleted BEFORE DELETE OR TRUNCATE ON alarms
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('alarms are the log of what happened');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0011_transfers"),
    ]

    operations = [
        migrations.CreateModel(
            name="Alarm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rule", models.TextField(verbose_name="rule")),
                ("subject", models.TextField(verbose_name="subject")),
                ("severity", models.TextField(verbose_name="severity")),
                ("message", models.TextField()),
                (
                    "parameters",
                    models.JSONField(
                        db_default={},
                        decoder=traders.schema.jsonio.ExactDecoder,
                        default=dict,
                        encoder=traders.schema.jsonio.ExactEncoder,
                    ),
                ),
                (
                    "figures",
                    models.JSONField(
                        db_default={},
                        decoder=traders.schema.jsonio.ExactDecoder,
                        default=dict,
                        encoder=traders.schema.jsonio.ExactEncoder,
                    ),
                ),
                (
                    "traders",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), db_default=[], default=list, size=None
                    ),
                ),
                ("first_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("last_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("count", models.BigIntegerField(db_default=1)),
                ("acknowledged_by", models.TextField(blank=True, null=True)),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True)),
                ("acknowledged_until", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("ended_by", models.TextField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "alarm",
                "verbose_name_plural": "alarms",
                "db_table": "alarms",
                "permissions": [("acknowledge_alarm", "Can acknowledge alarms")],
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("rule", "subject"),
                        name="alarms_one_open_a_cause",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("severity__in", ["page", "notify"])), name="alarms_severity_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("rule", ""), _negated=True), models.Q(("subject", ""), _negated=True)
                        ),
                        name="alarms_cause_named",
                    ),
                    models.CheckConstraint(condition=models.Q(("count__gte", 1)), name="alarms_count_from_1"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("acknowledged_at__isnull", True), ("acknowledged_by__isnull", True)),
                            models.Q(("acknowledged_at__isnull", False), ("acknowledged_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="alarms_acknowledged_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("ended_by__isnull", True)),
                            models.Q(("ended_at__isnull", False), ("ended_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="alarms_ended_by_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("first_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("first_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="alarms_first_at_is_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("last_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("last_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="alarms_last_at_is_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("acknowledged_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("acknowledged_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="alarms_acknowledged_at_is_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("acknowledged_until__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("acknowledged_until__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="alarms_acknowledged_until_is_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("ended_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="alarms_ended_at_is_a_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AlarmChannel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField(verbose_name="name")),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("webhook", "signed webhook"),
                            ("slack", "Slack"),
                            ("feishu", "Feishu"),
                            ("email", "e-mail"),
                        ],
                        verbose_name="kind",
                    ),
                ),
                ("address", models.TextField(verbose_name="address")),
                ("secret", models.TextField(blank=True, db_default="", verbose_name="signing key")),
                ("pages_only", models.BooleanField(db_default=False, default=False, verbose_name="pages only")),
                ("is_on", models.BooleanField(db_default=True, default=True, verbose_name="on")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "verbose_name": "alarm channel",
                "verbose_name_plural": "alarm channels",
                "db_table": "alarm_channels",
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"), name="alarm_channels_name_ignoring_case"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")),
                        name="alarm_channels_name_form",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["webhook", "slack", "feishu", "email"])),
                        name="alarm_channels_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("address", ""), _negated=True), name="alarm_channels_address_given"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("secret", ""), ("kind", "webhook"), _connector="OR"),
                        name="alarm_channels_secret_of_webhook",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("created_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("created_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="alarm_channels_created_at_is_a_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AlarmRuleChange",
            fields=[
                ("rule", models.TextField(primary_key=True, serialize=False, verbose_name="rule")),
                ("severity", models.TextField(blank=True, null=True, verbose_name="severity")),
                (
                    "threshold",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="threshold"
                    ),
                ),
                (
                    "paths",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        db_default=[],
                        default=list,
                        size=None,
                        verbose_name="paths",
                    ),
                ),
            ],
            options={
                "verbose_name": "alarm rule",
                "verbose_name_plural": "alarm rules",
                "db_table": "alarm_rules",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("severity__isnull", True), ("severity__in", ["page", "notify", "off"]), _connector="OR"
                        ),
                        name="alarm_rules_severity_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("threshold__isnull", True), ("threshold__gte", 0), _connector="OR"),
                        name="alarm_rules_threshold_from_0",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AlarmDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.TextField()),
                ("event", models.TextField()),
                ("message_id", models.TextField()),
                ("attempts", models.IntegerField(db_default=0)),
                ("next_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("status", models.TextField(db_default="waiting")),
                ("error", models.TextField(blank=True, null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "alarm",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="trading.alarm",
                    ),
                ),
            ],
            options={
                "verbose_name": "delivery",
                "verbose_name_plural": "deliveries",
                "db_table": "alarm_deliveries",
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "waiting")),
                        fields=["channel", "next_at", "id"],
                        name="idx_deliveries_waiting",
                    ),
                    models.Index(fields=["alarm", "id"], name="idx_deliveries_alarm"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("message_id",), name="deliveries_one_a_message"),
                    models.CheckConstraint(
                        condition=models.Q(("event__in", ["raised", "repeated", "ended", "test"])),
                        name="deliveries_event_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at__isnull", True), ("status", "waiting")),
                            models.Q(("done_at__isnull", False), ("status__in", ["sent", "failed", "cancelled"])),
                            _connector="OR",
                        ),
                        name="deliveries_status_known",
                    ),
                    models.CheckConstraint(condition=models.Q(("attempts__gte", 0)), name="deliveries_attempts_from_0"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("next_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("next_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="alarm_deliveries_next_at_is_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("created_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("created_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="alarm_deliveries_created_at_is_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("done_at__gte", datetime.datetime(2010, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                            ("done_at__lte", datetime.datetime(2100, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        ),
                        name="alarm_deliveries_done_at_is_a_moment",
                    ),
                ],
            },
        ),
        migrations.RunSQL(NEVER_DELETED, "DROP TRIGGER alarms_never_deleted ON alarms;"),
    ]
