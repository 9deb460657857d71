"""Beam's engines."""
