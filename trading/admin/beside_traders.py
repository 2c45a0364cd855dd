"""What the record adds to the pages of a trader."""
