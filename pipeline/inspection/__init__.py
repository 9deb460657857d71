"""Reading and comparing files at rest."""
