"""Text for people: what others sent escaped, secrets hidden, and how an extra is installed."""
