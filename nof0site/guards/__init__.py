"""What is refused before a migration changes anything: a foreign database, and steps back that drop rows."""
