"""The address and credentials of the S3 store, and this process's one client of it."""

import threading
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Access:
    """Where a store is, and with which credentials; None leaves it to AWS's own variables.

    Attributes:
        endpoint: its address, or None for Amazon's.
        region: of the bucket.
        key: the access key's id.
        secret: the access key.
        token: of a session.
        ssl: whether an address without a scheme means https.
        verify: a path of certificates, or None.
        version: of the API.
    """

    endpoint: str | None = None
    region: str | None = None
    key: str | None = None
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    ssl: bool = True
    verify: str | None = None
    version: str | None = None

    @classmethod
    def of(cls, options: PipelineOptions | None) -> "Access":
        """Returns the access that Beam's options describe."""
        if options is None:
            return cls()
        s3 = options.view_as(S3Options)
        return cls(
            s3.s3_endpoint_url,
            s3.s3_region_name,
            s3.s3_access_key_id,
            s3.s3_secret_access_key,
            s3.s3_session_token,
            not s3.s3_disable_ssl,
            s3.s3_verify,
            s3.s3_api_version,
        )


def client() -> Any:
    """Returns this process's client of the store that Beam's options name.

    Raises:
        Unusable: the extra is not installed, or the store's address is not one.
    """
    # Where Beam keeps them, in the launcher and in its workers; there is no public way.
    options = FileSystems.get_filesystem(SCHEME)._options
    with _LOCK:
        return _client(Access.of(options))


@cache
def _client(access: Access) -> Any:
    try:
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        from transforms.storage.s3.client import make_client
    except ImportError as error:
        raise Unusable(f"s3:// needs the extra s3: {install('s3')}") from error
    try:
        made = make_client(
            region_name=access.region,
            api_version=access.version,
            use_ssl=access.ssl,
            verify=access.verify,
            endpoint_url=access.endpoint,
            aws_access_key_id=access.key,
            aws_secret_access_key=access.secret,
            aws_session_token=access.token,
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
