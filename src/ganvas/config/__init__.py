"""From what somebody asks for to a complete description of a run.

A `Request` holds only what was said. `resolve` decides every default and gives a `Config`, in which
each value knows its origin. `yaml` reads and writes run.yaml, `options` derives flags from fields.
"""

from ganvas.config.adversarial import AdversarialSettings
from ganvas.config.config import Config, Difference, GameSettings, differences
from ganvas.config.doctor import DoctorSettings
from ganvas.config.evaluation import EvaluationSettings
from ganvas.config.options import nest, options
from ganvas.config.origin import Origin
from ganvas.config.request import SECTIONS, Nested, Request, merge, with_overrides
from ganvas.config.resolve import check, data_settings, resolve
from ganvas.config.training import TrainingSettings
from ganvas.config.variational import VariationalSettings

__all__ = [
    "SECTIONS",
    "AdversarialSettings",
    "Config",
    "Difference",
    "DoctorSettings",
    "EvaluationSettings",
    "GameSettings",
    "Nested",
    "Origin",
    "Request",
    "TrainingSettings",
    "VariationalSettings",
    "check",
    "data_settings",
    "differences",
    "merge",
    "nest",
    "options",
    "resolve",
    "with_overrides",
]
