"""Files on any store; nothing is visible before it is whole."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from transforms.storage import files as files
    from transforms.storage.base import Overtaken as Overtaken
    from transforms.storage.base import PendingFile as PendingFile
    from transforms.storage.commit import begin as begin

# Files import Beam. (`files` itself is a module, and needs no more than to be imported.)
__getattr__ = face(__name__, base=["Overtaken", "PendingFile"], commit=["begin"])
