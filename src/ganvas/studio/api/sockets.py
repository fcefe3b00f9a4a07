"""What WebSockets of the studio share: of several wishes that wait the last one counts; images."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from fastapi import WebSocket

from ganvas.imaging import Pixels

# The newest message of a client that nobody has taken yet; None when it has gone.
Newest = asyncio.Queue[str | None]


@asynccontextmanager
async def newest(socket: WebSocket) -> AsyncIterator[Newest]:
    """Read messages as they come; a newer one takes the place of one that waits."""
    waiting: Newest = asyncio.Queue(1)

    def put(message: str | None) -> None:
        if waiting.full():
            waiting.get_nowait()
        waiting.put_nowait(message)

    async def listen() -> None:
        while (message := await socket.receive())["type"] != "websocket.disconnect":
            put(message.get("text") or "")
        put(None)

    listening = asyncio.create_task(listen())
    try:
        yield waiting
    finally:
        listening.cancel()


def packed(number: int, pixels: Pixels) -> bytes:
    """Number, width and height (little-endian), then RGBA, row by row."""
    height, width, channels = pixels.shape
    rgba = np.full((height, width, 4), 255, np.uint8)
    rgba[..., : max(3, channels)] = pixels
    return struct.pack("<IHH", number, width, height) + rgba.tobytes()
