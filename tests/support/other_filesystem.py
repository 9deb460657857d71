"""A file system of Beam's that is not this machine's own, for tests: `other://FOLDER/…`.

Like an object store, it makes folders with their first file and refuses to rename onto nothing.
"""

from typing import Any

from apache_beam.io.filesystem import FileMetadata, FileSystem
from apache_beam.io.localfilesystem import LocalFileSystem

_SCHEME = "other://"


def _path(url: str) -> str:
    return "/" + url.removeprefix(_SCHEME).lstrip("/")


class OtherFileSystem(FileSystem):
    """Keeps its files below this machine's root, and knows them by its own scheme alone."""

    def __init__(self, pipeline_options: Any = None) -> None:
        super().__init__(pipeline_options)
        self._local = LocalFileSystem(pipeline_options)

    @classmethod
    def scheme(cls) -> str:
        return "other"

    def join(self, base: str, *parts: str) -> str:
        return "/".join([base.rstrip("/"), *parts])

    def split(self, path: str) -> tuple[str, str]:
        head, _, tail = path.rpartition("/")
        return head, tail

    def mkdirs(self, path: str) -> None:
        raise NotImplementedError("there are no folders here")

    def has_dirs(self) -> bool:
        return False

    def _list(self, dir_or_prefix: str) -> Any:
        # Of a store a prefix need not end where a folder's name does.
        folder = _path(dir_or_prefix).rpartition("/")[0]
        for found in self._local._list(folder):
            yield FileMetadata(_SCHEME + found.path.lstrip("/"), found.size_in_bytes)

    def create(self, path: str, *args: Any, **kwargs: Any) -> Any:
        return self._local.create(_path(path), *args, **kwargs)

    def open(self, path: str, *args: Any, **kwargs: Any) -> Any:
        return self._local.open(_path(path), *args, **kwargs)

    def copy(self, sources: list[str], targets: list[str]) -> None:
        self._local.copy([*map(_path, sources)], [*map(_path, targets)])

    def rename(self, sources: list[str], targets: list[str]) -> None:
        self._local.rename([*map(_path, sources)], [*map(_path, targets)])

    def exists(self, path: str) -> bool:
        return bool(self._local.exists(_path(path)))

    def size(self, path: str) -> int:
        return int(self._local.size(_path(path)))

    def last_updated(self, path: str) -> float:
        return float(self._local.last_updated(_path(path)))

    def checksum(self, path: str) -> str:
        return str(self._local.checksum(_path(path)))

    def metadata(self, path: str) -> Any:
        return self._local.metadata(_path(path))

    def delete(self, paths: list[str]) -> None:
        self._local.delete([*map(_path, paths)])
