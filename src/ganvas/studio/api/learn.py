"""What the page Learn asks for: the lesson's questions, and style transfer's three losses."""

import asyncio
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, WebSocket
from fastapi import Path as InPath
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.websockets import WebSocketDisconnect

from ganvas.errors import GanvasError
from ganvas.imaging.tensors import to_bytes
from ganvas.lesson.questions import LANGUAGES, Question, question
from ganvas.pretrained.examples import EXAMPLES
from ganvas.studio import small_style
from ganvas.studio.api.sockets import Newest, newest, packed
from ganvas.studio.small_style import PICTURES, Weights, transfer

# Questions that need no notebook's run to be answered.
BEFORE = ("generator-output", "gan-stands-for", "number-of-networks", "what-changes")
AFTER = (
    "second-step",
    "freezing",
    "loss-of-guessing",
    "healthy-losses",
    "problems",
    "batch-normalisation",
    "variety",
    "convolutions",
    "growing-starts",
    "doublings",
    "truncation",
    "exact-layer",
    "variation",
    "hundred-images",
)
Language = Annotated[str, InPath(pattern=f"^({'|'.join(LANGUAGES)})$")]
Name = Annotated[str, InPath(pattern=f"^({'|'.join((*BEFORE, *AFTER))})$")]
Weight = Annotated[float, Field(ge=0, le=100)]


class Answer(BaseModel):
    """What somebody answers."""

    model_config = ConfigDict(extra="forbid")
    answer: Annotated[str, Field(max_length=200)]


class Chosen(BaseModel):
    """Weights of the losses, and the image to start from."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    content: Weight = Weights.content
    style: Weight = Weights.style
    variation: Weight = Weights.variation
    start: Literal["noise", "content"] = Weights.start


def routes() -> APIRouter:
    """Questions, answers, and a small style transfer. Nothing is written."""
    router = APIRouter(prefix="/api/learn")

    @router.get("/questions/{language}")
    def questions(language: Language) -> dict[str, list[dict[str, Any]]]:
        """The lesson's questions before and after, in English (en) or Kannada (kn)."""
        return {
            "before": [_asked(question(name, language)) for name in BEFORE],
            "after": [_asked(question(name, language)) for name in AFTER],
        }

    @router.post("/questions/{language}/{name}")
    def answer(language: Language, name: Name, given: Annotated[Answer, Body()]) -> dict[str, Any]:
        """Whether an answer is right, and why; `right` is null when it cannot be understood."""
        asked = question(name, language)
        meant = asked.read(given.answer)
        return {
            "right": None if meant is None and not asked.open else _is_right(asked, meant),
            "answer": asked.shown.get(str(asked.answer), f"{asked.answer}"),
            "because": asked.because,
        }

    @router.get("/pictures/{name}")
    def picture(name: Literal["photograph", "painting"]) -> Response:
        """The photograph and the painting of the small transfer."""
        return FileResponse(EXAMPLES[PICTURES[name]], media_type="image/jpeg")

    @router.websocket("/style")
    async def style(socket: WebSocket) -> None:
        """A transfer with the weights that a client sends; newer weights start another one."""
        await socket.accept()
        with suppress(WebSocketDisconnect, RuntimeError):
            async with newest(socket) as waiting:
                while (text := await waiting.get()) is not None:
                    await _transfer(socket, waiting, text)

    return router


def _asked(asked: Question) -> dict[str, Any]:
    """A question as the page shows it: the options unless they are to be found."""
    options = [] if asked.open else list(asked.shown.values())
    return {"name": asked.name, "asks": asked.asks, "options": options}


def _is_right(asked: Question, meant: str | float | None) -> bool:
    return meant is not None and asked.same(meant, asked.answer)


async def _transfer(socket: WebSocket, waiting: Newest, text: str) -> None:
    """Send losses and image of every iteration until a newer wish waits."""
    try:
        weights = Weights(**Chosen.model_validate_json(text).model_dump())
        canvases = await asyncio.to_thread(transfer, weights)
    except (ValidationError, GanvasError) as fault:
        sentence = str(fault) if isinstance(fault, GanvasError) else "these are no weights."
        await socket.send_json({"sentence": sentence})
        return
    while waiting.empty():
        try:
            canvas = await asyncio.to_thread(next, canvases, None)
        except GanvasError as fault:
            await socket.send_json({"sentence": str(fault)})
            return
        if canvas is None:
            return
        losses = {name: getattr(canvas, name) for name in ("content", "style", "variation")}
        said = {"iteration": canvas.iteration, "iterations": small_style.ITERATIONS, **losses}
        await socket.send_json(said)
        await socket.send_bytes(packed(canvas.iteration, to_bytes(canvas.image * 2 - 1)[0]))
