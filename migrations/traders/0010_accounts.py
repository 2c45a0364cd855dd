"""Versions keep the id of the account that made them, and no new account gets a name that the product writes itself.

Versions from before stay without an id: which account had the name then is not known.
"""

from __future__ import annotations

from django.db import migrations, models

# Beside the validator of the field: `create_user`, loaddata and SQL pass no validator. Accounts that have such a name
# already keep it, and can log in, until they are renamed.
NAMES = """
CREATE FUNCTION nof0_refuse_reserved_username() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    plain text := btrim(normalize(lower(normalize(NEW.username, NFKC)), NFKC));
BEGIN
    IF plain IN ('sample', 'system') OR starts_with(plain, 'token:') OR starts_with(plain, 'cli:') THEN
        RAISE EXCEPTION 'username % refused: sample, system and names that begin with token: or cli: are reserved',
            quote_literal(NEW.username) USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER auth_user_reserved_name_added BEFORE INSERT ON auth_user
    FOR EACH ROW EXECUTE FUNCTION nof0_refuse_reserved_username();
CREATE TRIGGER auth_user_reserved_name_given BEFORE UPDATE ON auth_user
    FOR EACH ROW WHEN (OLD.username IS DISTINCT FROM NEW.username) EXECUTE FUNCTION nof0_refuse_reserved_username();
"""

DROP_NAMES = """
DROP TRIGGER auth_user_reserved_name_given ON auth_user;
DROP TRIGGER auth_user_reserved_name_added ON auth_user;
DROP FUNCTION nof0_refuse_reserved_username();
"""


class Migration(migrations.Migration):
    dependencies = [("traders", "0009_api_tokens"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [
        migrations.AddField("traderconfigversion", "account_id", models.BigIntegerField(blank=True, null=True)),
        migrations.AddField("managerconfigversion", "account_id", models.BigIntegerField(blank=True, null=True)),
        migrations.RunSQL(NAMES, DROP_NAMES),
    ]
