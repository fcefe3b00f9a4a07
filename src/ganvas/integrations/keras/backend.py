"""Import Keras, or raise an error that says how to install it."""

from ganvas.errors import GanvasError


class MissingKerasError(GanvasError, ImportError):
    """Keras, or its backend, is not installed."""


try:
    import keras
except ImportError as missing:
    raise MissingKerasError(
        f"ganvas.integrations.keras needs Keras 3 ({missing}): pip install 'ganvas[keras]', and "
        "set the environment variable KERAS_BACKEND=torch to use the PyTorch that ganvas has."
    ) from None

__all__ = ["MissingKerasError", "keras"]
