"""What `make run` does: prepare the database and the static files, then serve until told to stop."""
