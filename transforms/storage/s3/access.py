"""The address and credentials of the S3 store, and this process's one client of it."""

import threading
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions, S3Options

from transforms.storage.base import Unusable
from transforms.text.extras import install

SCHEME = "s3://"

_ATTEMPTS = 5
_CONNECTIONS = 32
_LOCK = threading.Lock()


def client() -> Any:
    """Returns this process's client of the store that Beam's options name.

    What they leave out is None, and left to AWS's own variables.

    Raises:
        Unusable: the extra is not installed, or the store's address is not one.
    """
    # Where Beam keeps them, in the launcher and in its workers; there is no public way.
    options = FileSystems.get_filesystem(SCHEME)._options or PipelineOptions([])
    s3 = options.view_as(S3Options)
    with _LOCK:
        return _client(
            endpoint_url=s3.s3_endpoint_url,
            region_name=s3.s3_region_name,
            aws_access_key_id=s3.s3_access_key_id,
            aws_secret_access_key=s3.s3_secret_access_key,
            aws_session_token=s3.s3_session_token,
            use_ssl=not s3.s3_disable_ssl,
            verify=s3.s3_verify,
            api_version=s3.s3_api_version,
        )


@cache
def _client(**settings: Any) -> Any:
    try:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        from transforms.storage.s3.client import make_client
    except ImportError as error:
        raise Unusable(f"s3:// needs the extra s3: {install('s3')}") from error
    try:
        made = make_client(
            **settings,
            config=Config(
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                max_pool_connections=_CONNECTIONS,
                connect_timeout=10,
                # Not every store knows Amazon's newer checksums; ours are MD5, which all check.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    except (BotoCoreError, ValueError) as error:
        # Its own message may repeat an address with a password in it.
        raise Unusable(
            f"the S3 store can't be used ({type(error).__name__}): look at --s3_endpoint_url, "
            "--s3_region_name and AWS's own settings"
        ) from None
    if urlsplit(made.meta.endpoint_url).password is not None:
        raise Unusable(
            "the S3 store's address has a password in it, which S3 has no use for: give the "
            "credentials as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return made
