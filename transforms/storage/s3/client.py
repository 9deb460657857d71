"""A botocore client of S3 that holds no more in memory than it uses.

botocore describes 116 operations in a document of 1.3 MB, and every region of every service in
another: 12 MiB as Python objects, in a process that should stay below 200.
"""

import gc
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
from botocore.loaders import Loader

OPERATIONS = frozenset(
    (
        *("PutObject", "GetObject", "HeadObject", "DeleteObject", "ListObjectsV2"),
        *("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "ListParts"),
        *("AbortMultipartUpload", "ListMultipartUploads"),
    )
)
"""What the client can do."""


class _LeanLoader(Loader):
    """Loads of each document what a client of S3 needs, once."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._lean: dict[tuple[str, ...], Any] = {}

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        if (name,) not in self._lean:
            data, path = super().load_data_with_path(name)
            if name == "endpoints":
                partitions = [
                    {**each, "services": {"s3": each["services"].get("s3", {})}}
                    for each in data["partitions"]
                ]
                data = {**data, "partitions": partitions}
            self._keep((name,), (data, path))
        lean: tuple[Any, str] = self._lean[name,]
        return lean

    def load_service_model(
        self, service_name: str, type_name: str, api_version: str | None = None
    ) -> Any:
        key = (service_name, type_name, api_version or "")
        if key not in self._lean:
            model = super().load_service_model(service_name, type_name, api_version)
            self._keep(key, _lean(model) if type_name == "service-2" else model)
        return self._lean[key]

    def _keep(self, key: tuple[str, ...], document: Any) -> None:
        self._lean[key] = document
        self._cache.clear()


_LOADER = _LeanLoader()


def make_client(**settings: Any) -> Any:
    """Returns a client of S3; the settings are those of botocore's `create_client`."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _LOADER)
    client = session.create_client("s3", **settings)
    gc.collect()
    return client


def _lean(model: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a service's description with `OPERATIONS` and what they refer to."""
    operations = {
        name: _bare(each) for name, each in model["operations"].items() if name in OPERATIONS
    }
    shapes: dict[str, Any] = {}
    wanted = list(_shapes_of(operations))
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = _bare(model["shapes"][name])
            wanted += _shapes_of(shapes[name])
    return {**_bare(model), "operations": operations, "shapes": shapes}


def _bare(document: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a part of a description without its prose."""
    return {
        name: _bare(part) if isinstance(part, Mapping) else "" if name == "documentation" else part
        for name, part in document.items()
    }


def _shapes_of(part: Any) -> Iterator[str]:
    """Yields the names of the shapes that a part of a description refers to."""
    if isinstance(part, Mapping):
        for name, inside in part.items():
            if name == "shape" and isinstance(inside, str):
                yield inside
            else:
                yield from _shapes_of(inside)
    elif isinstance(part, list):
        for inside in part:
            yield from _shapes_of(inside)
