"""The old name of ganvas.integrations.keras, which works for this version."""

import warnings

from ganvas.integrations.keras import *  # noqa: F403
from ganvas.integrations.keras import images as pictures  # noqa: F401  # its old name

warnings.warn(
    "ganvas.keras is called ganvas.integrations.keras now", DeprecationWarning, stacklevel=2
)
