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
        Field(description="treat what goes wrong, only say it (advise), or do not look (off)"),
    ] = "treat"
    probe_every: Annotated[
        int, Field(ge=16, description="steps from one look at the images to the next")
    ] = 256
