"""Counters, reports of progress, and the run summary."""
