"""How the stand-in Terminal misbehaves on request."""
