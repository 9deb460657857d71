"""The settings of a download: each is declared once, as a field of its group."""

from pipeline.config.command import command_of as command_of
from pipeline.config.download_config import DownloadConfig as DownloadConfig
