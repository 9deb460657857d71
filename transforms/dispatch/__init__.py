"""Which slot of which Terminal fetches what."""
