"""Compiled inner loops, and whether they are there."""
