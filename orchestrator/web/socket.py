"""/ws: the one WebSocket. See `session` for what is sent and `frames` for the binary part."""

from __future__ import annotations

import asyncio
import contextlib
import json
from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from orchestrator.web.session import BadCommand, Session

router = APIRouter()
VIEWERS_MAX = 32
BAD_MAX = 100  # after so many bad commands a viewer is sent away
TRY_LATER, POLICY = 1013, 1008


@router.websocket("/ws")
async def viewer(websocket: WebSocket, run: str = "") -> None:
    """Play a run to one viewer."""
    if not same_origin(websocket):
        await websocket.close(POLICY)
        return
    await websocket.accept()
    state = websocket.app.state
    if state.viewers >= VIEWERS_MAX:
        await websocket.close(TRY_LATER, f"more than {VIEWERS_MAX} viewers")
        return
    state.viewers += 1
    try:
        watched = await state.library.get(run)
        await _play(websocket, Session(watched, websocket))
    except KeyError:
        text = f"no run {run!r}" if run else "no run yet"
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
            await websocket.send_text(json.dumps({"type": "error", "fatal": True, "message": text}))
            await websocket.close(TRY_LATER, "no such run")
    finally:
        state.viewers -= 1


async def _play(websocket: WebSocket, session: Session) -> None:
    sending = asyncio.create_task(session.serve())
    listening = asyncio.create_task(_listen(websocket, session))
    done, pending = await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        with contextlib.suppress(WebSocketDisconnect, TimeoutError, RuntimeError, OSError):
            task.result()
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
        await websocket.close()


async def _listen(websocket: WebSocket, session: Session) -> None:
    bad = 0
    while bad < BAD_MAX:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            session.command(message.get("text") or "")
        except BadCommand as error:
            bad += 1
            text = json.dumps({"type": "error", "fatal": False, "message": str(error)})
            await websocket.send_text(text)


def same_origin(websocket: WebSocket) -> bool:
    """Browsers say which page opens a socket; only our own may. Other programs say nothing."""
    origin = websocket.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == websocket.headers.get("host")
