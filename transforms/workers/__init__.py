"""How workers stop, take turns and are told apart."""
