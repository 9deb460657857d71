"""The errors of a download that are the user's to mend; none of them touched a good file."""


class ConfigError(ValueError):
    """A flag has a value that can't be used. The message begins with the flag."""


class NothingMatched(Exception):
    """The Terminal knows nothing of what was asked for."""


class Conflict(Exception):
    """Files of other requests, or another run, are in the way."""
