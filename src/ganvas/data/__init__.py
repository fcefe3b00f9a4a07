"""Pictures: found, decoded once, and read back by position."""

from ganvas.data.archive import BadArchiveError
from ganvas.data.builtin import ASSETS, SOURCES
from ganvas.data.cache import CacheError, cache_folder, clear_cache
from ganvas.data.classes import LabelsError
from ganvas.data.find import located, passed_by
from ganvas.data.learnable import Learnable
from ganvas.data.order import positions
from ganvas.data.pictures import Pictures
from ganvas.data.prepare import DataSettings, NoPicturesError, key_of, parse_size, prepare
from ganvas.data.report import Report, contact_sheet, report

BUILTIN = {name: source.summary for name, source in SOURCES.items()}
"""Sets of pictures that come with ganvas: name and one-line summary."""

__all__ = [
    "ASSETS",
    "BUILTIN",
    "BadArchiveError",
    "CacheError",
    "DataSettings",
    "LabelsError",
    "Learnable",
    "NoPicturesError",
    "Pictures",
    "Report",
    "cache_folder",
    "clear_cache",
    "contact_sheet",
    "key_of",
    "located",
    "parse_size",
    "passed_by",
    "positions",
    "prepare",
    "report",
]
