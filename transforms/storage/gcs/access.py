"""This process's one client of Google's Cloud Storage, with Beam's options for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions

from transforms.storage.base import Unusable, refusal, split
from transforms.text.extras import install

SCHEME = "gs://"

_LOCK = threading.Lock()


def bucket_and_key(path: str) -> tuple[Any, str]:
    """Returns the client's bucket of a path, and the key.

    Raises:
        Unusable: the extra is not installed.
        ValueError: the path names no bucket.
    """
    name, key = split(path)
    # Where Beam keeps them, in the launcher and in its workers; there is no public way.
    options = _beams_options()
    google = options.view_as(GoogleCloudOptions)
    with _LOCK:
        client = _client(not google.no_auth, google.project, google.impersonate_service_account)
    return client.bucket(name), key


def register() -> None:
    """Makes Beam's file systems know the scheme, in a process that kept Google's libraries out.

    Raises:
        Unusable: the extra is not installed.
    """
    try:
        # Beam goes by the classes that are there.
        import apache_beam.io.gcp.gcsfilesystem  # noqa: F401 -- Beam registers the file system on import
    except ImportError as error:
        raise Unusable(f"gs:// needs the extra gs: {install('gs')}") from error


def _beams_options() -> PipelineOptions:
    register()
    return FileSystems.get_filesystem(SCHEME)._pipeline_options or PipelineOptions([])


@cache
def _client(with_credentials: bool, *_settings: object) -> Any:
    """Returns a client, with what credentials Beam finds by the settings if it is to have any."""
    from apache_beam.io.gcp.gcsio import create_storage_client

    return create_storage_client(_beams_options(), use_credentials=with_credentials)


@contextmanager
def file_errors(path: str) -> Iterator[None]:
    """Raises a block's errors of the store as those of a file system; see `ObjectStore`."""
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage.exceptions import InvalidResponse

    try:
        yield
    except GoogleAPICallError as error:
        raise refusal(int(error.code or 0), error, path) from error
    except InvalidResponse as error:
        raise refusal(error.response.status_code, error, path) from error
    except GoogleAuthError as error:
        raise PermissionError(
            f"{path}: no credentials: set GOOGLE_APPLICATION_CREDENTIALS, or another of Google's "
            f"ways: {error}"
        ) from None
