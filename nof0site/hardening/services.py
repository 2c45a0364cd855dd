"""Holds the application's role to the rules: the statements, and running them."""

from __future__ import annotations

from psycopg import sql as composed

from nof0site.hardening import queries, writer
from nof0site.hardening.rules import REFUSED, UPDATE, NotHardenable


def statements(role: str) -> list[str]:
    """In order. Raises NotHardenable for a role that does not exist, or that no privilege binds."""
    found = queries.role(role, list(REFUSED))
    if found is None:
        raise NotHardenable(f"there is no role {role}. Make it: CREATE ROLE {role} LOGIN PASSWORD '...'")
    if found.is_superuser:
        raise NotHardenable(f"{role} is a superuser, whom no privilege binds. Give the application a role of its own")
    if found.owned:
        raise NotHardenable(
            f"{role} owns {', '.join(found.owned[:3])}, or is a member of the role that does, and an owner can give"
            " itself everything back. Let the role that runs migrate own the tables, and give the application another"
        )
    place, name = queries.place(), composed.Identifier(role)
    schema = composed.Identifier(place.schema)
    made = [
        composed.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(composed.Identifier(place.database), name),
        composed.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, name),
        composed.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {} TO {}").format(schema, name),
        composed.SQL("GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA {} TO {}").format(schema, name),
    ]
    for table, refused in REFUSED.items():
        made.append(
            composed.SQL("REVOKE {} ON {} FROM {}").format(
                composed.SQL(", ").join(map(composed.SQL, refused.privileges)),
                composed.Identifier(table),
                name,
            )
        )
        if refused.columns:
            columns = composed.SQL(", ").join(map(composed.Identifier, refused.columns))
            made.append(
                composed.SQL("GRANT {} ({}) ON {} TO {}").format(
                    composed.SQL(UPDATE), columns, composed.Identifier(table), name
                )
            )
    return [one.as_string(None) for one in made]


def harden(role: str) -> list[str]:
    """Runs the statements, all or none. Raises NotHardenable, also where the role has a privilege by another way."""
    made = statements(role)
    with writer.together():
        writer.run(made)
        _require_gone(role)
    return made


def _require_gone(role: str) -> None:
    has = queries.left(role, list(REFUSED))
    taken = [(table, privilege) for table, refused in REFUSED.items() for privilege in refused.privileges]
    if still := sorted(f"{privilege} on {table}" for table, privilege in taken if (table, privilege) in has):
        raise NotHardenable(
            f"{role} would still have {', '.join(still)}, by a role that it is a member of, or by PUBLIC: take it away"
            " there. Nothing was changed"
        )
