"""The old name of ganvas.evaluation.metrics, which works for this version."""

import warnings

from ganvas.evaluation.metrics import *  # noqa: F403

warnings.warn(
    "ganvas.metrics is called ganvas.evaluation.metrics now", DeprecationWarning, stacklevel=2
)
