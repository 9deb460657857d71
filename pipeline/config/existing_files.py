"""Settings for existing files."""

from dataclasses import dataclass
from functools import partial

from pipeline.config.checks import between
from pipeline.config.setting import Switch, setting
from transforms.output.resume import OFF, PROOFS, STAT, Resume

_setting = partial(setting, group="existing files")


@dataclass(frozen=True)
class ExistingFilesSettings:
    """Settings for the files of earlier runs."""

    resume: str = _setting(
        STAT,
        "how an existing file of the same request is checked before it is skipped: stat: by "
        "its size; hash: by its SHA-256; off: not at all, everything is downloaded again",
        choices=PROOFS,
        switches=(
            Switch(
                "overwrite",
                OFF,
                "download existing files again, as --resume off does; files of other requests stay",
            ),
        ),
    )
    retry_empty_after: float = _setting(
        Resume.retry_empty_after,
        "time after which an expiration without data is requested again, and during which each "
        "run requests a file again that lacks trade dates after its first one",
        metavar="DAYS",
        check=between(0, 36500, "days"),
    )
