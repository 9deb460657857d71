"""The version of this project, read by setup.py and by the run summary."""

__version__ = "0.1.0"
