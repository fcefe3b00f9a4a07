"""For training with Keras: images as arrays, and callbacks that record a run and diagnose it.

They work with `fit`, and in your own loop through `keras.callbacks.CallbackList`, on every backend
of Keras 3.
"""

from ganvas.data.arrays import images
from ganvas.integrations.keras.backend import MissingKerasError
from ganvas.integrations.keras.doctor import Doctor
from ganvas.integrations.keras.logs import Losses
from ganvas.integrations.keras.record import Record

__all__ = ["Doctor", "Losses", "MissingKerasError", "Record", "images"]
