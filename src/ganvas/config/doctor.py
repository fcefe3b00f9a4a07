"""How much the doctor may do."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from ganvas.runtime.validation import STRICT

DoctorMode = Literal["treat", "advise", "off"]


@dataclass(frozen=True, config=STRICT)
class DoctorSettings:
    """Whether a run is watched, and treated."""

    doctor: Annotated[
        DoctorMode,
        Field(description="Treat issues, only report them, or do not watch."),
    ] = "treat"
    probe_every: Annotated[
        int, Field(ge=16, description="Number of steps between probes of the samples.")
    ] = 256
