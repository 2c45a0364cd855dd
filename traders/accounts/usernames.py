"""Adds a validator for reserved names to Django's username field."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import CharField
from django.utils.translation import gettext_lazy as _

from traders.schema.actors import RESERVED_NAMES, RESERVED_PREFIXES, is_reserved


def refuse_reserved(name: str) -> None:
    if is_reserved(name):
        raise ValidationError(
            _("“%(name)s” is reserved. Choose a name other than %(names)s that does not begin with %(prefixes)s."),
            code="reserved",
            params={"name": name, "names": ", ".join(RESERVED_NAMES), "prefixes": ", ".join(RESERVED_PREFIXES)},
        )


def watch_usernames() -> None:
    """Adds the validator. Forms, createsuperuser and full_clean use it; a database trigger covers all other writes."""
    field = get_user_model()._meta.get_field("username")
    assert isinstance(field, CharField)
    if refuse_reserved not in field.validators:
        field.validators.append(refuse_reserved)
