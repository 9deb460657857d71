"""Checks of rows while they pass by."""
