"""What an exchange holds and the record does not, or otherwise: found by a report, settled by a person."""
