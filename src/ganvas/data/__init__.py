"""Data sets: find images, decode them once, and read them back by position."""

from ganvas.data.cache.place import clear_cache
from ganvas.data.dataset import Dataset, ImageDataset
from ganvas.data.labels import LabelsError
from ganvas.data.order import positions
from ganvas.data.prepare import DataSettings, NoImagesError, key_of, parse_size, prepare
from ganvas.data.report import DataReport, contact_sheet, report
from ganvas.data.sources.archive import BadArchiveError
from ganvas.data.sources.builtin import SOURCES
from ganvas.data.sources.find import locate, passed_by, stored
from ganvas.runtime.cache import CacheError, cache_folder

BUILTIN = {name: source.summary for name, source in SOURCES.items()}
"""Sets of images that come with ganvas: name and one-line summary."""

__all__ = [
    "BUILTIN",
    "BadArchiveError",
    "CacheError",
    "DataReport",
    "DataSettings",
    "Dataset",
    "ImageDataset",
    "LabelsError",
    "NoImagesError",
    "cache_folder",
    "clear_cache",
    "contact_sheet",
    "key_of",
    "locate",
    "parse_size",
    "passed_by",
    "positions",
    "prepare",
    "report",
    "stored",
]
