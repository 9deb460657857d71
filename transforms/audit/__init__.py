"""An independent check of rows at rest."""
