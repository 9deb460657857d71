"""The errors of a download that the user can correct; none of them touched a good file."""


class ConfigError(ValueError):
    """A flag has a value that can't be used. The message begins with the flag."""


class NothingMatched(Exception):
    """The Terminal lists nothing that was requested."""


class Conflict(Exception):
    """Files of other requests, or another run, are in the way."""
