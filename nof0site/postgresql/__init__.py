"""Django database engine `nof0site.postgresql`: PostgreSQL with time limits, directly or through PgBouncer."""
