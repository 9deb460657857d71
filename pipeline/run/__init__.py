"""One run, from its start record to its end record."""
