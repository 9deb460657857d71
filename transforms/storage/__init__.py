"""Files on any store; nothing is visible before it is whole."""
