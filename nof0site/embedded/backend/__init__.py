"""Django database engine `nof0site.embedded.backend`: PostgreSQL that is started when it is first needed."""
