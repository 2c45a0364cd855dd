"""What `make run` does: prepares the database and the static files, then serves until it is stopped."""
