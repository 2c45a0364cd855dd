"""What is asked of traders and of the fleet, and what engines say of it."""

from __future__ import annotations

import datetime

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import traders.schema.jsonio
from migrations.stored_rules import SYMBOL_FORM

# The name of the program that stops the fleet after a backup was restored, and the guards' prefix, become reserved.
NAMES = """
CREATE OR REPLACE FUNCTION nof0_refuse_reserved_username() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    plain text := btrim(normalize(lower(normalize(NEW.username, NFKC)), NFKC));
BEGIN
    IF plain IN ({names}) OR {prefixes} THEN
        RAISE EXCEPTION 'username % refused: {said} are reserved',
            quote_literal(NEW.username) USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""
NEW_NAMES = NAMES.format(
    names="'sample', 'system', 'restore'",
    prefixes="starts_with(plain, 'token:') OR starts_with(plain, 'cli:') OR starts_with(plain, 'guard:')",
    said="sample, system, restore and names that begin with token: or cli: or guard:",
)
OLD_NAMES = NAMES.format(
    names="'sample', 'system'",
    prefixes="starts_with(plain, 'token:') OR starts_with(plain, 'cli:')",
    said="sample, system and names that begin with token: or cli:",
)

PINNED_VERSION = """
ALTER TABLE trader_controls ADD CONSTRAINT trader_controls_version_fk
    FOREIGN KEY (trader_id, version) REFERENCES trader_config_versions (id, version);
"""

# One transaction at a time, so that ids, moments and positions of the changes rise in one order. A writer that also needs the
# fleet's row locks that one first. A control takes a number of the change sets, so that positions stay equal to them.
PLACE = """
CREATE FUNCTION nof0_place_control() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('nof0.controls'));
    SELECT id, at INTO before FROM trader_controls ORDER BY id DESC LIMIT 1;
    NEW.at := clock_timestamp();
    IF FOUND THEN
        NEW.at := greatest(NEW.at, before.at + interval '1 microsecond');
        IF NEW.id <= before.id THEN
            NEW.id := nextval(pg_get_serial_sequence('trader_controls', 'id'));
        END IF;
    END IF;
    SELECT id INTO NEW.write_id FROM config_writes WHERE position IS NULL;
    IF NEW.write_id IS NULL THEN
        INSERT INTO config_writes (change_set) VALUES (nextval('config_change_set_seq')) RETURNING id INTO NEW.write_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER trader_controls_place BEFORE INSERT ON trader_controls
    FOR EACH ROW EXECUTE FUNCTION nof0_place_control();
"""
DROP_PLACE = """
DROP TRIGGER trader_controls_place ON trader_controls;
DROP FUNCTION nof0_place_control();
"""

# `traders.controls.rules` says the same of rows in memory; a test holds both to the same answer. What an engine reads
# that knows the plan's columns only is `detail.pause`: an entry ban without end ends there in 2099.
DESIRED = """
CREATE FUNCTION nof0_desired(of_trader text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    run trader_controls;
    fleet trader_controls;
    pin trader_controls;
    first trader_controls;
    last_id bigint;
    state text;
    pauses jsonb;
    closes jsonb;
    ban_ends timestamptz;
BEGIN
    SELECT max(id) INTO last_id FROM trader_controls WHERE trader_id = of_trader OR trader_id IS NULL;
    IF last_id IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT * INTO run FROM trader_controls
     WHERE trader_id = of_trader AND kind IN ('start', 'stop', 'drain') ORDER BY id DESC LIMIT 1;
    SELECT * INTO fleet FROM trader_controls WHERE trader_id IS NULL ORDER BY id DESC LIMIT 1;
    SELECT * INTO pin FROM trader_controls
     WHERE trader_id = of_trader AND kind IN ('pin', 'unpin') ORDER BY id DESC LIMIT 1;
    SELECT coalesce(jsonb_agg(jsonb_build_object('control_id', p.id, 'cause', p.cause, 'until', p.until,
                                                 'by', p.actor, 'reason', p.reason) ORDER BY p.id), '[]'),
           max(coalesce(p.until, 'infinity'))
      INTO pauses, ban_ends FROM trader_controls p
     WHERE p.trader_id = of_trader AND p.kind = 'pause' AND (p.until IS NULL OR p.until > clock_timestamp())
       AND NOT EXISTS (SELECT FROM trader_controls r WHERE r.trader_id = of_trader AND r.kind = 'resume'
                          AND r.cause = p.cause AND r.id > p.id);
    SELECT coalesce(jsonb_agg(jsonb_build_object('control_id', c.id, 'symbol', c.symbol, 'until', c.until,
                              'positions', coalesce(c.detail -> 'positions', '[]')) ORDER BY c.id), '[]')
      INTO closes FROM trader_controls c
     WHERE c.trader_id = of_trader AND c.kind = 'close' AND c.until > clock_timestamp();
    IF run.kind = 'stop' THEN
        first := run; state := 'stopped';
    ELSIF fleet.kind = 'stop' THEN
        first := fleet; state := 'entries_banned';
    ELSIF run.kind = 'drain' THEN
        first := run; state := 'entries_banned';
    ELSIF pauses <> '[]' THEN
        SELECT * INTO first FROM trader_controls WHERE id = (pauses -> 0 ->> 'control_id')::bigint;
        state := 'entries_banned';
    ELSE
        first := run; state := CASE WHEN run.kind = 'start' THEN 'running' END;
    END IF;
    IF state = 'stopped' OR fleet.kind = 'stop' OR run.kind = 'drain' THEN
        ban_ends := 'infinity';
    END IF;
    RETURN jsonb_build_object(
        'state', state, 'by', first.actor, 'at', first.at, 'reason', first.reason, 'run', run.kind,
        'fleet_stop', CASE WHEN fleet.kind = 'stop' THEN fleet.id END,
        'version', CASE WHEN pin.kind = 'pin' THEN pin.version END,
        'pauses', pauses, 'closes', closes, 'control_id', last_id,
        'entries_banned_until', CASE WHEN ban_ends IS NOT NULL THEN least(ban_ends, '2099-12-31 00:00:00+00') END);
END $$;

CREATE FUNCTION nof0_keep_desired() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    desired jsonb := nof0_desired(NEW.trader_id);
    reported jsonb := NEW.detail;
BEGIN
    IF jsonb_typeof(reported) IS DISTINCT FROM 'object' THEN
        IF desired IS NULL THEN
            RETURN NEW;
        END IF;
        reported := '{}';
    END IF;
    reported := reported - 'desired';
    IF jsonb_typeof(reported -> 'pause') = 'object' AND reported -> 'pause' ? 'control_id' THEN
        reported := reported - 'pause';
    END IF;
    IF desired ->> 'entries_banned_until' IS NOT NULL THEN
        reported := reported || jsonb_build_object('pause', jsonb_build_object(
            'until', desired -> 'entries_banned_until', 'reason', desired -> 'reason', 'control_id', desired -> 'control_id'));
    END IF;
    IF desired IS NOT NULL THEN
        reported := reported || jsonb_build_object('desired', desired);
    END IF;
    NEW.detail := reported;
    RETURN NEW;
END $$;
CREATE TRIGGER trader_runtime_state_keep_desired BEFORE INSERT OR UPDATE ON trader_runtime_state
    FOR EACH ROW EXECUTE FUNCTION nof0_keep_desired();
"""
DROP_DESIRED = """
DROP TRIGGER trader_runtime_state_keep_desired ON trader_runtime_state;
DROP FUNCTION nof0_keep_desired();
DROP FUNCTION nof0_desired(text);
"""

# Rows are locked in order of id, as heartbeats lock them. A program that holds such a row for long must not keep a stop
# from being written: its row gets its copy with the next report; what the API answers is read from the controls.
TOLD = """
CREATE FUNCTION nof0_tell_control() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    concerned text[] := (SELECT array_agg(trader_id) FROM added WHERE trader_id IS NOT NULL);
    all_traders boolean := EXISTS (SELECT FROM added WHERE trader_id IS NULL);
    waits text := current_setting('lock_timeout');
BEGIN
    BEGIN
        PERFORM set_config('lock_timeout', '2s', true);
        WITH locked AS (SELECT trader_id FROM trader_runtime_state
                         WHERE all_traders OR trader_id = ANY (concerned) ORDER BY trader_id FOR NO KEY UPDATE)
        UPDATE trader_runtime_state s SET detail = detail FROM locked WHERE s.trader_id = locked.trader_id;
    EXCEPTION WHEN lock_not_available THEN
        WITH free AS (SELECT trader_id FROM trader_runtime_state WHERE all_traders OR trader_id = ANY (concerned)
                       ORDER BY trader_id FOR NO KEY UPDATE SKIP LOCKED)
        UPDATE trader_runtime_state s SET detail = detail FROM free WHERE s.trader_id = free.trader_id;
    END;
    PERFORM set_config('lock_timeout', waits, true);
    PERFORM pg_notify('trader_control_changed',
                      json_build_object('control', id, 'trader', trader_id, 'kind', kind)::text) FROM added;
    RETURN NULL;
END $$;
CREATE TRIGGER trader_controls_tell AFTER INSERT ON trader_controls
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION nof0_tell_control();
"""
DROP_TOLD = """
DROP TRIGGER trader_controls_tell ON trader_controls;
DROP FUNCTION nof0_tell_control();
"""

APPEND_ONLY = "".join(
    f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('what was written stays as it is');
"""
    for table in ("trader_controls", "trader_control_acks")
)
DROP_APPEND_ONLY = """
DROP TRIGGER trader_controls_append_only ON trader_controls;
DROP TRIGGER trader_control_acks_append_only ON trader_control_acks;
"""

_START, _END = datetime.datetime(2010, 1, 1, tzinfo=datetime.UTC), datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)
_FLEET_KINDS = ["release", "stop"]
_TRADER_KINDS = [
    *("clear_cooldown", "close", "cooldown", "drain", "pause", "pin", "resume", "start", "stop"),
    "unpin",
]


def _moment(table: str, column: str) -> models.CheckConstraint:
    holds = models.Q(**{f"{column}__gte": _START, f"{column}__lte": _END})
    return models.CheckConstraint(condition=holds, name=f"{table}_{column}_is_a_moment")


def _given_for(column: str, kinds: list[str], or_not: list[str]) -> models.CheckConstraint:
    given, absent = models.Q(**{f"{column}__isnull": False}), models.Q(**{f"{column}__isnull": True})
    condition = (models.Q(kind__in=kinds) & given) | (~models.Q(kind__in=sorted(kinds + or_not)) & absent)
    condition = condition | models.Q(kind__in=or_not) if or_not else condition
    return models.CheckConstraint(condition=condition, name=f"trader_controls_{column}_given")


class Migration(migrations.Migration):
    dependencies = [("traders", "0016_scope_of_corrections")]

    operations = [
        migrations.CreateModel(
            name="TraderControl",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.TextField()),
                ("until", models.DateTimeField(blank=True, null=True)),
                ("version", models.IntegerField(blank=True, null=True)),
                ("symbol", models.TextField(blank=True, null=True)),
                ("cause", models.TextField(blank=True, null=True)),
                ("reason", models.TextField()),
                ("actor", models.TextField()),
                ("account_id", models.BigIntegerField(blank=True, null=True)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("once", models.TextField(blank=True, null=True)),
                (
                    "detail",
                    models.JSONField(
                        db_default={},
                        decoder=traders.schema.jsonio.ExactDecoder,
                        default=dict,
                        encoder=traders.schema.jsonio.ExactEncoder,
                    ),
                ),
                ("write_id", models.BigIntegerField(blank=True, null=True)),
                (
                    "trader",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="controls",
                        to="traders.traderconfig",
                    ),
                ),
            ],
            options={
                "verbose_name": "control",
                "verbose_name_plural": "controls",
                "db_table": "trader_controls",
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["trader", "kind", "id"], name="idx_controls_trader_kind"),
                    models.Index(fields=["write_id"], name="idx_controls_write"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("once__isnull", False)),
                        fields=("trader", "once"),
                        name="trader_controls_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(trader__isnull=True, kind__in=_FLEET_KINDS)
                        | models.Q(trader__isnull=False, kind__in=_TRADER_KINDS),
                        name="trader_controls_kind_known",
                    ),
                    _given_for("until", ["close", "cooldown"], ["pause"]),
                    _given_for("version", ["pin"], []),
                    _given_for("symbol", ["clear_cooldown", "cooldown"], ["close"]),
                    _given_for("cause", ["pause", "resume"], []),
                    models.CheckConstraint(
                        condition=models.Q(cause__isnull=True)
                        | models.Q(cause__regex="^(operator|guard:[a-z][a-z0-9_]{0,62})$"),
                        name="trader_controls_cause_form",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(symbol__isnull=True) | models.Q(symbol__regex=SYMBOL_FORM),
                        name="trader_controls_symbol_form",
                    ),
                    models.CheckConstraint(
                        condition=~models.Q(reason="") & ~models.Q(actor=""), name="trader_controls_says_who_and_why"
                    ),
                    _moment("trader_controls", "at"),
                    _moment("trader_controls", "until"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TraderControlAck",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("result", models.TextField()),
                ("note", models.TextField(blank=True, db_default="", default="")),
                ("actor", models.TextField()),
                ("at", models.DateTimeField()),
                ("received_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "control",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="acks",
                        to="traders.tradercontrol",
                    ),
                ),
                (
                    "trader",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="control_acks",
                        to="traders.traderconfig",
                    ),
                ),
            ],
            options={
                "verbose_name": "acknowledgement of a control",
                "verbose_name_plural": "acknowledgements of controls",
                "db_table": "trader_control_acks",
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["control", "trader", "id"], name="idx_control_acks_control")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(result__in=["done", "partial", "refused"]),
                        name="trader_control_acks_result_known",
                    ),
                    models.CheckConstraint(condition=~models.Q(actor=""), name="trader_control_acks_says_who"),
                    _moment("trader_control_acks", "at"),
                    _moment("trader_control_acks", "received_at"),
                ],
            },
        ),
        migrations.RunSQL(NEW_NAMES, OLD_NAMES),
        migrations.RunSQL(PINNED_VERSION, migrations.RunSQL.noop),
        migrations.RunSQL(PLACE, DROP_PLACE),
        migrations.RunSQL(DESIRED, DROP_DESIRED),
        migrations.RunSQL(TOLD, DROP_TOLD),
        migrations.RunSQL(APPEND_ONLY, DROP_APPEND_ONLY),
    ]
